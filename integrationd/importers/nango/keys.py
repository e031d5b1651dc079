"""The names that a block may have, and what becomes of those that are not translated.

Source:
    Nango's own types of providers and its schema for ``providers.yaml``, as of 2025.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final = """
    display_name alias auth_mode installation proxy authorization_url
    authorization_url_skip_encode authorization_url_skip_empty access_token_url
    authorization_params authorization_code_param_in_callback scope_separator default_scopes
    token_url token_url_skip_encode token_params authorization_url_replacements
    redirect_uri_metadata token_response_metadata webhook_response_metadata
    authorization_code_param_in_webhook docs docs_connect token_expiration_buffer
    webhook_routing_script webhook_user_defined_secret post_connection_script
    pre_connection_deletion_script credentials_verification_script categories
    connection_configuration connection_config credentials authorization_url_fragment
    body_format require_client_certificate disable_pkce refresh_params authorization_method
    alternate_access_token_response_path refresh_url expires_in_unit token_request_auth_method
    request_url request_params request_http_method token_http_method signature_method signature
    token token_headers token_response additional_steps token_expires_in_ms
    proxy_header_authorization token_request_method base_url headers query retry decompress
    paginate verification method endpoint endpoints base_url_override data at after remaining
    error_code in_body type cursor_path_in_response cursor_name_in_request
    limit_name_in_request limit response_path link_rel_in_response_header
    link_path_in_response_body offset_name_in_request offset_start_value
    offset_calculation_method protocol signing_key expires_in_ms header payload
    token_expiration token_expiration_strategy integration_config setup_guide_url
    assertion_option
"""
KNOWN: Final = frozenset(_NAMES.split())
"""All names, wherever they stand."""

_SUPPLIED: Final = (
    "what a consent or a token's reply names is not taken over; supply it as 'config'"
)
_POSTS: Final = "what the provider posts is not read; write 'webhooks' by hand"
_SCRIPT: Final = "a program of Nango's own, which is not read here"
IDLE: Final[Mapping[str, str]] = {
    "proxy.decompress": "packed answers are always unpacked",
    "docs_connect": "for Nango's own pages",
    "setup_guide_url": "for Nango's own pages",
    "installation": "for Nango's own pages",
    "redirect_uri_metadata": _SUPPLIED,
    "token_response_metadata": _SUPPLIED,
    "webhook_response_metadata": _SUPPLIED,
    "webhook_user_defined_secret": _POSTS,
    "credentials_verification_script": "the first call shows whether credentials are right",
    "pre_connection_deletion_script": "nothing is undone at the provider when a file goes",
    "access_token_url": "the address is that of 'token_url'",
    "signature": "the kind is that of 'auth_mode'",
    "authorization_url_skip_empty": "parameters that are empty are not sent",
}
"""Fields without which nothing is lost, and why."""
CODE: Final[Mapping[str, str]] = {
    "post_connection_script": f"{_SCRIPT}; what it finds out is to be supplied",
    "webhook_routing_script": _POSTS,
    "authorization_code_param_in_callback": "a code that comes back under another name",
    "authorization_code_param_in_webhook": "a code that is posted",
    "authorization_url_replacements": "parts of the address of consent that are put in later",
    "authorization_url_fragment": "a fragment in the address of consent",
    "authorization_url_skip_encode": "signs in the address of consent that are not encoded",
    "token_url_skip_encode": "signs in a token's address that are not encoded",
    "proxy_header_authorization": "another header in the place of the token's",
    "proxy.retry.in_body": "a wait that stands in the body",
    "integration_config": "values of an integration of Nango's",
    "alias": "the block that it stands for is not in this file; add it",
    "assertion_option": "an assertion that is made for the token",
}
"""Fields that cannot be said, and what they are."""
