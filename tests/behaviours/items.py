"""What there is to show, by number: kept apart from the table, so that a lost row is noticed."""

from __future__ import annotations

from typing import Final

ITEMS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "Moodle", "Idukay", "TextLocal", "Vonage", "Evergreen's gateway", "QuickBooks",
        "Salesforce", "Shopify", "Xero", "SNS", "Vonage", "Vonage", "Gmail", "Salesforce",
        "Sierra", "Razorpay", "Twilio", "Moodle", "Gmail", "Xero", "Vonage",
    ),
    2: (
        "Evergreen", "Shopify", "Evergreen's server", "SendGrid", "Cloudinary", "S3",
        "QuickBooks", "PayPal", "OHIP", "Shopify",
    ),
    3: (
        "Koha", "Koha", "Sierra", "OHIP", "Razorpay", "Evergreen", "HubSpot", "Square", "Square",
        "HubSpot", "Stripe", "EasyPost", "Shippo", "Twilio", "Salesforce", "Shopify", "S3",
        "Azure", "Xero", "QuickBooks", "OHIP",
    ),
    4: (
        "Koha", "Sierra", "Xero", "Stripe", "Twilio", "Salesforce", "QuickBooks", "Square",
        "HubSpot", "Square", "Koha", "PayPal", "Shippo", "OHIP", "Stripe", "Razorpay",
    ),
    5: (
        "SendGrid", "Twilio", "Stripe", "Moodle", "Cloudinary", "SNS", "Gmail", "Salesforce",
        "Koha", "Evergreen", "PMS",
    ),
    6: (
        "Koha", "EasyPost", "Idukay", "OHIP", "Xero", "Square", "Moodle", "TextLocal", "Vonage",
        "Shopify", "Evergreen", "Moodle", "Moodle", "Sierra", "Koha", "OHIP", "OHIP", "Xero",
        "OHIP", "Gmail", "Salesforce", "Vonage", "S3", "Azure", "Cloudinary", "Vonage",
        "Salesforce",
    ),
    7: (
        "Stripe", "PayPal", "Razorpay", "Square", "Square", "QuickBooks", "S3", "GCS", "Azure",
        "Salesforce", "HubSpot", "Twilio", "PayPal",
    ),
    8: ("Stripe", "Gmail", "Twilio", "Xero", "Salesforce", "Vonage", "PayPal", "Stripe"),
}  # fmt: skip
"""The first system of each item, in the order of their numbers."""


def numbers() -> dict[str, str]:
    """Return who does what an item is about, by number."""
    return {
        f"{group}.{place}": who
        for group, items in ITEMS.items()
        for place, who in enumerate(items, 1)
    }
