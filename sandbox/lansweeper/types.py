"""Asset type names that a site knows from the start, a part of the vendor's list.

Source: reference/lansweeper-api.md, section 7.
"""

from __future__ import annotations

ASSET_TYPES = (
    "Android",
    "Apple Mac",
    "Camera",
    "Cloud",
    "Desktop",
    "ESXi server",
    "Firewall",
    "Hyper-V guest",
    "Industrial",
    "IOS",
    "Laptop",
    "Linux",
    "Load balancer",
    "Mobile",
    "Monitor",
    "NAS",
    "Network device",
    "Printer",
    "Projector",
    "Router",
    "SAN",
    "Scanner",
    "Server",
    "Switch",
    "Unix",
    "Unknown",
    "UPS",
    "Virtual Machine",
    "VMware Guest",
    "VOIP phone",
    "Webserver",
    "Wifi",
    "Windows",
    "Wireless Access point",
)
