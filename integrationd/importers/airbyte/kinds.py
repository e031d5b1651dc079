"""The words of the low-code language: which fields each kind of component has.

Source:
    ``declarative_component_schema.yaml`` of airbytehq/airbyte-python-cdk, which says the fields,
    and ``manifest_component_transformer.py`` there, which says the kinds of untyped ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_ANY: Final = "type description title $parameters $ref linkable"

_FIELDS: Final = {
    "DeclarativeSource": "check streams dynamic_streams version schemas definitions spec "
    "concurrency_level api_budget stream_groups max_concurrent_async_job_count metadata",
    "DeclarativeStream": "name retriever incremental_sync primary_key schema_loader "
    "transformations state_migrations file_uploader",
    "StateDelegatingStream": "name full_refresh_stream incremental_stream api_retention_period",
    "SimpleRetriever": "requester decoder record_selector paginator pagination_reset "
    "ignore_stream_slicer_parameters_on_paginated_requests partition_router",
    "HttpRequester": "url_base url path http_method authenticator query_properties "
    "fetch_properties_from_endpoint request_parameters request_headers request_body_data "
    "request_body_json request_body error_handler use_cache",
    "PaginationReset": "action limits",
    "PaginationResetLimits": "number_of_records",
    "RequestBodyPlainText": "value",
    "RequestBodyUrlEncodedForm": "value",
    "RequestBodyJsonObject": "value",
    "RequestBodyGraphQL": "value",
    "RequestOption": "inject_into field_name field_path",
    "RequestPath": "",
    "NoAuth": "",
    "ApiKeyAuthenticator": "api_token header inject_into",
    "BasicHttpAuthenticator": "username password",
    "BearerAuthenticator": "api_token",
    "OAuthAuthenticator": "client_id_name client_id client_secret_name client_secret "
    "refresh_token_name refresh_token token_refresh_endpoint access_token_name "
    "access_token_value expires_in_name grant_type_name grant_type refresh_request_body "
    "refresh_request_headers send_refresh_request_as_query_params scopes token_expiry_date "
    "token_expiry_date_format token_expiry_is_time_of_expiration refresh_token_updater "
    "refresh_token_error_status_codes refresh_token_error_key refresh_token_error_values "
    "profile_assertion use_profile_assertion",
    "JwtAuthenticator": "secret_key base64_encode_secret_key algorithm token_duration "
    "header_prefix jwt_headers additional_jwt_headers jwt_payload additional_jwt_payload "
    "passphrase request_option",
    "SelectiveAuthenticator": "authenticator_selection_path authenticators",
    "SessionTokenAuthenticator": "login_requester session_token_path expiration_duration "
    "request_authentication decoder",
    "ApiKey": "inject_into api_token",
    "Bearer": "",
    "NoPagination": "",
    "DefaultPaginator": "pagination_strategy page_size_option page_token_option decoder",
    "PageIncrement": "page_size start_from_page inject_on_first_request",
    "OffsetIncrement": "page_size inject_on_first_request",
    "CursorPagination": "cursor_value page_size stop_condition decoder",
    "RecordSelector": "extractor record_filter schema_normalization transform_before_filtering",
    "DpathExtractor": "field_path decoder record_expander",
    "RecordFilter": "condition",
    "JsonDecoder": "",
    "JsonlDecoder": "",
    "IterableDecoder": "",
    "XmlDecoder": "",
    "CsvDecoder": "encoding delimiter set_values_to_none",
    "GzipDecoder": "decoder",
    "ZipfileDecoder": "decoder",
    "AddFields": "fields condition",
    "AddedFieldDefinition": "path value value_type",
    "RemoveFields": "field_pointers condition",
    "KeysToLower": "",
    "KeysToSnakeCase": "",
    "KeysReplace": "old new",
    "FlattenFields": "flatten_lists",
    "DpathFlattenFields": "field_path delete_origin_value replace_record key_transformation",
    "DatetimeBasedCursor": "clamping cursor_field cursor_datetime_formats start_datetime "
    "start_time_option end_datetime end_time_option datetime_format cursor_granularity "
    "is_data_feed is_client_side_incremental is_compare_strictly global_substream_cursor "
    "lookback_window partition_field_end partition_field_start step "
    "allow_catalog_defined_cursor_field",
    "MinMaxDatetime": "datetime datetime_format max_datetime min_datetime",
    "IncrementingCountCursor": "cursor_field start_value start_value_option "
    "allow_catalog_defined_cursor_field",
    "ListPartitionRouter": "cursor_field values request_option",
    "SubstreamPartitionRouter": "parent_stream_configs",
    "ParentStreamConfig": "stream parent_key partition_field request_option "
    "incremental_dependency lazy_read_pointer extra_fields",
    "GroupingPartitionRouter": "group_size underlying_partition_router deduplicate",
    "CompositeErrorHandler": "error_handlers",
    "DefaultErrorHandler": "backoff_strategies max_retries response_filters",
    "HttpResponseFilter": "action failure_type error_message error_message_contains http_codes "
    "predicate",
    "ConstantBackoffStrategy": "backoff_time_in_seconds jitter_range_in_seconds",
    "ExponentialBackoffStrategy": "factor jitter_range_in_seconds",
    "WaitTimeFromHeader": "header regex max_waiting_time_in_seconds",
    "WaitUntilTimeFromHeader": "header min_wait regex max_waiting_time_in_seconds",
    "HTTPAPIBudget": "policies ratelimit_reset_header ratelimit_remaining_header "
    "status_codes_for_ratelimit_hit",
    "FixedWindowCallRatePolicy": "period call_limit matchers",
    "MovingWindowCallRatePolicy": "rates matchers",
    "UnlimitedCallRatePolicy": "matchers",
    "ConcurrencyLevel": "default_concurrency max_concurrency",
    "Spec": "connection_specification documentation_url advanced_auth config_normalization_rules",
    "CheckStream": "stream_names dynamic_streams_check_configs config_overrides",
}

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(f"{fields} {_ANY}".split()) for kind, fields in _FIELDS.items()
}
"""What each kind may say; of one that is not here, everything is let pass."""

DEFAULTS: Final[Mapping[str, str]] = {
    "CompositeErrorHandler.error_handlers": "DefaultErrorHandler",
    "DatetimeBasedCursor.end_datetime": "MinMaxDatetime",
    "DatetimeBasedCursor.end_time_option": "RequestOption",
    "DatetimeBasedCursor.start_datetime": "MinMaxDatetime",
    "DatetimeBasedCursor.start_time_option": "RequestOption",
    "CustomIncrementalSync.end_datetime": "MinMaxDatetime",
    "CustomIncrementalSync.end_time_option": "RequestOption",
    "CustomIncrementalSync.start_datetime": "MinMaxDatetime",
    "CustomIncrementalSync.start_time_option": "RequestOption",
    "IncrementingCountCursor.start_value_option": "RequestOption",
    "DeclarativeSource.check": "CheckStream",
    "DeclarativeSource.spec": "Spec",
    "DeclarativeSource.streams": "DeclarativeStream",
    "DeclarativeStream.retriever": "SimpleRetriever",
    "DefaultErrorHandler.response_filters": "HttpResponseFilter",
    "DefaultPaginator.page_size_option": "RequestOption",
    "DefaultPaginator.page_token_option": "RequestOption",
    "ApiKeyAuthenticator.inject_into": "RequestOption",
    "JwtAuthenticator.request_option": "RequestOption",
    "HttpRequester.error_handler": "DefaultErrorHandler",
    "ListPartitionRouter.request_option": "RequestOption",
    "ParentStreamConfig.request_option": "RequestOption",
    "ParentStreamConfig.stream": "DeclarativeStream",
    "StateDelegatingStream.full_refresh_stream": "DeclarativeStream",
    "StateDelegatingStream.incremental_stream": "DeclarativeStream",
    "RecordSelector.extractor": "DpathExtractor",
    "RecordSelector.record_filter": "RecordFilter",
    "SessionTokenAuthenticator.login_requester": "HttpRequester",
    "ApiKey.inject_into": "RequestOption",
    "SimpleRetriever.pagination_reset": "PaginationReset",
    "PaginationReset.limits": "PaginationResetLimits",
    "OAuthAuthenticator.profile_assertion": "JwtAuthenticator",
    "DpathExtractor.record_expander": "RecordExpander",
    "SimpleRetriever.paginator": "NoPagination",
    "SimpleRetriever.record_selector": "RecordSelector",
    "SimpleRetriever.requester": "HttpRequester",
    "AddFields.fields": "AddedFieldDefinition",
}
"""The kind of a component without ``type``, by where it stands."""

CUSTOM: Final[Mapping[str, str]] = {
    "DeclarativeStream.retriever": "CustomRetriever",
    "DeclarativeStream.transformations": "CustomTransformation",
    "DefaultErrorHandler.backoff_strategies": "CustomBackoffStrategy",
    "DefaultPaginator.pagination_strategy": "CustomPaginationStrategy",
    "HttpRequester.authenticator": "CustomAuthenticator",
    "HttpRequester.error_handler": "CustomErrorHandler",
    "RecordSelector.extractor": "CustomRecordExtractor",
    "SimpleRetriever.partition_router": "CustomPartitionRouter",
}
"""The kind of a component with a ``class_name`` and no ``type``."""


def find_homes(field: str) -> Iterator[str]:
    """Yield the kinds that have a field of this name."""
    return (kind for kind, fields in FIELDS.items() if field in fields)
