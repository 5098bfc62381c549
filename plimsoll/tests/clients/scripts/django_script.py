"""Django as its users use it: migrate, ORM, transactions, locks, server-side cursors; prints what it sees."""

import os
import sys
import threading
from urllib.parse import urlsplit

import django
from django.apps import AppConfig
from django.conf import settings

URL = urlsplit(os.environ["DATABASE_URL"])
DATABASE = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": URL.hostname,
    "PORT": URL.port,
    "USER": URL.username,
    "PASSWORD": URL.password,
    "NAME": URL.path[1:],
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {"server_side_binding": "bound" in sys.argv},
}
settings.configure(
    DATABASES={"default": DATABASE},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        AppConfig("shop", sys.modules[__name__]),  # the models below
    ],
    MIGRATION_MODULES={"shop": None},
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    SECRET_KEY="of no worth",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, close_old_connections, connection, models, transaction
from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import Rank


class Shop(models.Model):
    name = models.CharField(max_length=50, unique=True)
    data = models.JSONField(default=dict)

    class Meta:
        app_label = "shop"


class Product(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="products")
    name = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.IntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "shop"
        indexes = [models.Index(fields=["shop", "name"], name="product_shop_name")]


def told(what, *values):
    print(f"{what}:", *values, flush=True)


def migrate():
    call_command("migrate", verbosity=1, no_color=True)
    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Product)
    told("tables", sorted(connection.introspection.table_names()))
    call_command("showmigrations", no_color=True)
    call_command("migrate", "sessions", "zero", verbosity=1, no_color=True)
    call_command("migrate", verbosity=0)
    call_command("sqlsequencereset", "auth", no_color=True)


def orm():
    first, second = Shop.objects.bulk_create([Shop(name="first", data={"a": [1, 2]}), Shop(name="second")])
    Product.objects.bulk_create(
        [Product(shop=first if n % 3 else second, name=f"product {n}", price=n, stock=n % 5) for n in range(1, 2001)], batch_size=300
    )
    told("count", Product.objects.count(), Product.objects.filter(Q(stock=3) | Q(price__gt=1990)).count())
    told("json", Shop.objects.get(data__a__contains=[2]).name)
    told("sums", list(Shop.objects.annotate(n=Count("products"), total=Sum("products__price")).order_by("name").values_list("name", "n", "total")))
    told("ranks", list(Product.objects.annotate(rank=Window(Rank(), order_by=F("price").desc())).values_list("rank", "name")[:3]))
    told("update", Product.objects.filter(name="product 7").update(stock=F("stock") + 100), Product.objects.get(name="product 7").stock)
    told("made", *[Shop.objects.get_or_create(name="third")[1] for _ in range(2)])
    told("upsert", Shop.objects.update_or_create(name="third", defaults={"data": {"x": 1}})[1])
    told("delete", Shop.objects.filter(name="third").delete()[0])
    told("related", Product.objects.select_related("shop").order_by("id")[0].shop.name, second.products.first().name)
    told("prefetch", [(shop.name, len(shop.products.all())) for shop in Shop.objects.prefetch_related("products").order_by("name")])
    told("time", Product.objects.first().at.tzinfo, Product.objects.filter(at__year__gte=2020).exists())
    told("in", Product.objects.filter(id__in=list(range(1, 900))).count())
    told("explain", Product.objects.filter(id=1).explain(costs=False))


def cursors():
    told("iterator", sum(product.stock for product in Product.objects.iterator(chunk_size=100)))
    with transaction.atomic():
        told("inside", sum(product.stock for product in Product.objects.iterator(chunk_size=100)))
    rows = Product.objects.order_by("id").iterator(chunk_size=50)
    kept = [next(rows).name for _ in range(3)]
    Product.objects.filter(stock=4).count()
    kept += [next(rows).name for _ in range(200)][-1:]
    rows.close()
    told("between", kept)


def transactions():
    done = []
    with transaction.atomic():
        transaction.on_commit(lambda: done.append("committed"))
        Shop.objects.create(name="kept")
        try:
            with transaction.atomic():
                Shop.objects.create(name="kept")
        except IntegrityError as reason:
            told("unique", str(reason).split("\n")[0])
        told("inside", Shop.objects.filter(name="kept").count(), done)
    told("after", done)
    try:
        with transaction.atomic():
            Shop.objects.create(name="lost")
            raise KeyError
    except KeyError:
        told("lost", Shop.objects.filter(name="lost").exists())
    with connection.cursor() as cursor:
        cursor.execute("SHOW timezone")
        told("zone", cursor.fetchone())
        cursor.executemany("UPDATE shop_product SET stock = %s WHERE name = %s", [(1, "product 1"), (2, "product 2")])
        cursor.execute("SELECT stock FROM shop_product WHERE name IN ('product 1', 'product 2') ORDER BY name")
        told("raw", cursor.fetchall())


def locks():
    target = Product.objects.get(name="product 9")
    Product.objects.filter(id=target.id).update(stock=0)

    def add():
        for _ in range(15):
            with transaction.atomic():
                locked = Product.objects.select_for_update().get(id=target.id)
                locked.stock += 1
                locked.save(update_fields=["stock"])
        connection.close()

    threads = [threading.Thread(target=add) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    told("added", Product.objects.get(id=target.id).stock)
    refused = []

    def no_wait():
        try:
            with transaction.atomic():
                Product.objects.select_for_update(nowait=True).get(id=target.id)
        except OperationalError as reason:
            refused.append(str(reason).split("\n")[0])
        with transaction.atomic():
            refused.append(Product.objects.select_for_update(skip_locked=True).filter(id=target.id).count())
        connection.close()

    with transaction.atomic():
        Product.objects.select_for_update().get(id=target.id)
        thread = threading.Thread(target=no_wait)
        thread.start()
        thread.join()
    told("refused", refused)


def contrib():
    group = Group.objects.create(name="staff")
    group.permissions.set(Permission.objects.filter(codename__startswith="add_"))
    user = User.objects.create_user("ann", "ann@example.com", "password")
    user.groups.add(group)
    told("permission", User.objects.get(username="ann").has_perm("auth.add_user"), user.check_password("password"))
    session = SessionStore()
    session["cart"] = [1, 2]
    session.create()
    told("session", SessionStore(session.session_key)["cart"])
    close_old_connections()
    told("healthy", User.objects.count())
    connection.close()
    told("again", User.objects.count())
    call_command("flush", interactive=False, verbosity=0)
    told("flushed", User.objects.count())


def test_run():
    own = connection.settings_dict["NAME"]
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    Group.objects.create(name="of a test")
    told("test database", name, Group.objects.count())
    connection.creation.destroy_test_db(own, verbosity=0)
    told("own database", connection.settings_dict["NAME"], Group.objects.filter(name="of a test").count())


for part in [migrate, orm, cursors, transactions, locks, contrib, test_run]:
    told("--", part.__name__)
    part()
