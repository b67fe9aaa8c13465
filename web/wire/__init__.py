"""Every JSON shape that goes in or out. A body with a field that is not named here is refused."""
