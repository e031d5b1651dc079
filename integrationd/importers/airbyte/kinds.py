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
    "ignore_stream_slicer_parameters_on_paginated_requests partition_router page_size_reduction "
    "request_window_splitting",
    "HttpRequester": "url_base url path http_method authenticator query_properties "
    "fetch_properties_from_endpoint request_parameters request_headers request_body_data "
    "request_body_json request_body error_handler use_cache "
    "read_timeout_in_seconds connect_timeout_in_seconds use_tcp_keepalive",
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
    "CheckDynamicStream": "stream_count use_check_availability config_overrides",
    "DynamicStreamCheckConfig": "dynamic_stream_name stream_count",
    # streams that are listed elsewhere
    "DynamicDeclarativeStream": "name stream_template components_resolver use_parent_parameters",
    "ConditionalStreams": "condition streams",
    "HttpComponentsResolver": "retriever components_mapping",
    "ConfigComponentsResolver": "stream_config components_mapping",
    "ParametrizedComponentsResolver": "stream_parameters components_mapping",
    "ComponentMappingDefinition": "field_path value value_type create_or_update condition",
    "StreamConfig": "configs_pointer default_values",
    "StreamParametersDefinition": "list_of_parameters_for_stream",
    "UnionPartitionRouter": "partition_field partition_routers",
    # jobs
    "AsyncRetriever": "record_selector status_mapping status_extractor download_target_extractor "
    "download_extractor creation_requester polling_requester polling_job_timeout "
    "failed_retry_wait_time_in_seconds download_target_requester download_requester "
    "download_paginator abort_requester delete_requester partition_router decoder "
    "download_decoder",
    "AsyncJobStatusMap": "running completed failed timeout skipped",
    "ResponseToFileExtractor": "preserve_na_values",
    # what few use
    "PageSizeReduction": "reduction_factor minimum_page_size max_attempts backoff_seconds "
    "retries_at_minimum_page_size failure_message reset_policy",
    "RequestWindowSplitting": "failure_message min_split_window",
    "QueryProperties": "property_list always_include_properties property_chunking "
    "property_selector",
    "PropertiesFromEndpoint": "property_field_path retriever",
    "PropertyChunking": "property_limit_type property_limit record_merge_strategy",
    "GroupByKeyMergeStrategy": "key",
    "JsonSchemaPropertySelector": "transformations",
    "CombinedExtractor": "extractors mode skip_empty_records",
    "RecordExpander": "expand_records_from_field remain_original_record on_no_records "
    "parent_fields merge_parent parent_fields_to_copy truncation_indicator_path "
    "truncated_list_retriever",
    "ParentFieldPath": "parent_path record_path",
    "KeyTransformation": "prefix suffix",
    "JsonItemsDecoder": "items_path encoding",
    "WaitTimeFromResponse": "wait_time_in_seconds max_waiting_time_in_seconds",
    "LegacySessionTokenAuthenticator": "header login_url session_token "
    "session_token_response_key username password validate_session_url",
    "RateLimitedMultipleTokenAuthenticator": "tokens token_delimiter auth_method header "
    "quota_status_source quotas max_wait_time budget_reserve_fraction budget_min_reserve",
    "QuotaStatusSource": "url http_method request_headers unavailable_status_codes",
    "TokenQuota": "name remaining_path reset_path limit_path matchers remaining_header "
    "reset_header limit_header exhaustion_status_codes",
    "Rate": "limit interval",
    "HttpRequestRegexMatcher": "method url_base url_path_pattern params headers weight",
    "RequestBodyGraphQlQuery": "query variables operationName",
    # schemas, and what is done with a configuration
    "InlineSchemaLoader": "schema",
    "JsonFileSchemaLoader": "file_path",
    "DynamicSchemaLoader": "retriever schema_filter schema_transformations schema_type_identifier",
    "SchemaTypeIdentifier": "schema_pointer key_pointer type_pointer types_mapping",
    "TypesMap": "target_type current_type condition",
    "ComplexFieldType": "field_type items",
    "ConfigMigration": "transformations",
    "ConfigRemapField": "map field_path",
    "ConfigAddFields": "fields condition",
    "ConfigRemoveFields": "field_pointers condition",
    "DpathValidator": "field_path validation_strategy",
    "PredicateValidator": "value validation_strategy",
    "ValidateAdheresToSchema": "base_schema",
    "StreamGroup": "streams action",
    "BlockSimultaneousSyncsAction": "",
    "LegacyToPerPartitionStateMigration": "",
    "AuthFlow": "auth_flow_type predicate_key predicate_value oauth_config_specification",
    "OAuthConfigSpecification": "oauth_user_input_from_connector_config_specification "
    "oauth_connector_input_specification complete_oauth_output_specification "
    "complete_oauth_server_input_specification complete_oauth_server_output_specification",
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
    "FixedWindowCallRatePolicy.matchers": "HttpRequestRegexMatcher",
    "MovingWindowCallRatePolicy.matchers": "HttpRequestRegexMatcher",
    "UnlimitedCallRatePolicy.matchers": "HttpRequestRegexMatcher",
    "MovingWindowCallRatePolicy.rates": "Rate",
    "DeclarativeSource.api_budget": "HTTPAPIBudget",
    "DeclarativeSource.concurrency_level": "ConcurrencyLevel",
    "DeclarativeSource.dynamic_streams": "DynamicDeclarativeStream",
    "DeclarativeStream.schema_loader": "JsonFileSchemaLoader",
    "DynamicDeclarativeStream.stream_template": "DeclarativeStream",
    "ConditionalStreams.streams": "DeclarativeStream",
    "AsyncRetriever.creation_requester": "HttpRequester",
    "AsyncRetriever.polling_requester": "HttpRequester",
    "AsyncRetriever.download_target_requester": "HttpRequester",
    "AsyncRetriever.download_requester": "HttpRequester",
    "AsyncRetriever.abort_requester": "HttpRequester",
    "AsyncRetriever.delete_requester": "HttpRequester",
    "AsyncRetriever.status_extractor": "DpathExtractor",
    "AsyncRetriever.download_target_extractor": "DpathExtractor",
    "AsyncRetriever.status_mapping": "AsyncJobStatusMap",
    "AsyncRetriever.record_selector": "RecordSelector",
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
