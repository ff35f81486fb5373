"""Operations on sites: which there are, their asset types, their custom fields."""

from __future__ import annotations

from typing import cast

from connectors.errors import StopError
from connectors.http import Kind
from connectors.lansweeper import queries
from connectors.lansweeper.api import LansweeperApi
from connectors.lansweeper.models import CustomField, CustomFieldProps, Site
from connectors.lansweeper.refusals import CHECK_CREDENTIAL, CHECK_SITE
from connectors.lansweeper.settings import several_sites


class SiteOperations(LansweeperApi):
    """Read sites and their set-up; create custom fields."""

    async def authorized_sites(self) -> list[Site]:
        """The sites that the token may see: ``authorizedSites``."""
        data, _ = await self._post(Kind.READ, "authorizedSites", queries.AUTHORIZED_SITES)
        sites = ((data or {}).get("authorizedSites") or {}).get("sites") or []
        return [{"id": str(site["id"]), "name": str(site.get("name") or "")} for site in sites if site]

    async def site(self) -> Site:
        """The site to work on: the one that the settings name, or the only one the token may see.

        Raises:
            StopError: the named site is not among the token's, or none is named and there is not just one.
        """
        sites, named = await self.authorized_sites(), self.settings.site_id
        shown = ", ".join(f"{site['name']} ({site['id']})" for site in sites)
        if not sites:
            raise StopError("The Lansweeper token may see no site", remedy=CHECK_CREDENTIAL)
        chosen = [site for site in sites if site["id"].lower() == named.lower()] if named else sites
        if not chosen:
            message = f"The Lansweeper token may not see the site {named}, but {shown}"
            raise StopError(message, remedy=CHECK_SITE)
        if len(chosen) > 1:
            raise several_sites(shown)
        return chosen[0]

    async def asset_types(self, site_id: str) -> list[str]:
        """Names of the site's asset types: ``assetTypes``. Sites add their own."""
        types, _ = await self._of_site(Kind.READ, "assetTypes", queries.ASSET_TYPES, site_id)
        return [str(name) for name in types or []]

    async def custom_fields(self, site_id: str) -> list[CustomField]:
        """The site's custom fields: ``customFields``. Several may have one name."""
        fields, _ = await self._of_site(Kind.READ, "customFields", queries.CUSTOM_FIELDS, site_id)
        return [cast(CustomField, field) for field in fields or [] if field]

    async def create_custom_field(
        self, site_id: str, name: str, type_: str = "INPUT", props: CustomFieldProps | None = None
    ) -> CustomField:
        """Creates a custom field: ``createCustomField``. It is not repeated when its outcome is unclear.

        ``type_`` and ``props`` as in ``models.CustomField``; there is no way to change them later.
        """
        field = {"name": name, "type": type_, **({"props": props} if props else {})}
        created, _ = await self._of_site(
            Kind.CREATE, "createCustomField", queries.CREATE_CUSTOM_FIELD, site_id, field=field
        )
        if not isinstance(created, dict):
            raise self._nothing("createCustomField", "See whether the custom field was made.")
        return cast(CustomField, created)
