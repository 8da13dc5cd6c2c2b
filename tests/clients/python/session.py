"""One visit to a shop, as a user of segment-analytics-python writes it. Arguments: host, write key, user id, anonymous id."""

import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import segment.analytics as analytics

host, analytics.write_key, user_id, anonymous_id = sys.argv[1:]
analytics.host = f"{host}/_h"


# The client's thread only logs what it gives up.
lost = []
analytics.on_error = lambda error, items: lost.append(f"{len(items)} events were not delivered: {error}")
analytics.gzip = True

analytics.page(anonymous_id=anonymous_id, category="Docs", name="Python", properties={"url": "https://shop.example/docs", "path": "/docs"})
analytics.identify(user_id, {"name": "Ana Peña", "age": 42, "created_at": datetime(2024, 2, 29, 12, 0, tzinfo=timezone.utc)})
analytics.track(
    user_id,
    "Item Packed",
    {
        "price": Decimal("19.99"),
        "ratio": 0.1 + 0.2,
        "margin": float("nan"),
        "ceiling": float("inf"),
        "serial": "9007199254740993123",
        "count": 9007199254740993,
        "gift": None,
        "day": date(2026, 11, 20),
        "nested": {"list": [[1], {}, ("a", "ñ")], "at": datetime(2026, 11, 20, 10, 6, 40, 123456, tzinfo=timezone(timedelta(hours=1)))},
        "word": "茶 🫖 NaN",
    },
    timestamp=datetime(2026, 11, 20, 11, 6, 40, 123456, tzinfo=timezone(timedelta(hours=1))),
    context={"ip": "203.0.113.7", "locale": "es-ES", "app": {"name": "Warehouse", "version": 3, "build": 420}},
)
analytics.group(user_id, "g-1", {"name": "Club", "employees": 12})
analytics.alias("old-ana", user_id)
analytics.screen(user_id, name="Cart", properties={"items": 1})
# A day without a clock's time, and a customer's number in place of text.
analytics.track(int(user_id.split("-")[-1]), "Invoice Sent", {"paid": False}, timestamp=datetime(2025, 1, 31))
analytics.track(user_id, "Order Completed", {"order_id": "o-python", "total": 44.9, "currency": "EUR", "products": [{"product_id": "MUG-BLU", "price": 19.99, "quantity": 2}]})
analytics.shutdown()
sys.exit("\n".join(lost) or None)
