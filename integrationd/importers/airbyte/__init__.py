"""Reading manifests of Airbyte's low-code language."""
