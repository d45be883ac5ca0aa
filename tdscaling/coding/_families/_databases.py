"""Databases that the SQL families ask about.

Enters: a random stream. Leaves: the bytes of a SQLite file with a schema as businesses have it:
several tables, foreign keys, states, dates, gaps.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable
from random import Random

FIRST = ("Ada", "Bruno", "Carla", "Dario", "Elif", "Farid", "Greta", "Hanna", "Ivan", "Jonas",
         "Kaya", "Lena", "Milan", "Nora", "Omar", "Petra", "Quirin", "Rosa", "Sven")  # fmt: skip
LAST = ("Abel", "Berger", "Conti", "Demir", "Ek", "Fabre", "Gruber", "Hansen", "Ito", "Jansen",
        "Keller", "Lindt", "Moreau", "Novak", "Ortiz", "Peters", "Rossi", "Stein")  # fmt: skip
CITIES = ("Basel", "Ghent", "Graz", "Leeds", "Lyon", "Porto", "Turku")

SHOP = """
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, city TEXT NOT NULL,
                       joined_on TEXT NOT NULL);
CREATE TABLE product (product_id INTEGER PRIMARY KEY, title TEXT NOT NULL, category TEXT NOT NULL,
                      unit_price REAL NOT NULL);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer,
                     ordered_on TEXT NOT NULL,
                     status TEXT NOT NULL CHECK (status IN ('placed', 'shipped', 'cancelled')));
CREATE TABLE order_line (order_id INTEGER NOT NULL REFERENCES orders,
                         product_id INTEGER NOT NULL REFERENCES product,
                         quantity INTEGER NOT NULL, PRIMARY KEY (order_id, product_id));
"""
GOODS = {
    "garden": ("rake", "spade", "hose", "planter", "trellis"),
    "kitchen": ("whisk", "skillet", "grater", "ladle", "wok"),
    "office": ("stapler", "binder", "lamp", "tray", "pen set"),
    "sport": ("racket", "kettlebell", "mat", "jump rope", "ball"),
}

LIBRARY = """
CREATE TABLE member (member_id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, branch TEXT NOT NULL);
CREATE TABLE book (isbn TEXT PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL,
                   genre TEXT NOT NULL, pages INTEGER NOT NULL);
CREATE TABLE loan (loan_id INTEGER PRIMARY KEY, isbn TEXT NOT NULL REFERENCES book,
                   member_id INTEGER NOT NULL REFERENCES member, loaned_on TEXT NOT NULL,
                   due_on TEXT NOT NULL, returned_on TEXT);
"""
GENRES = ("crime", "history", "poetry", "science")
BRANCHES = ("Central", "Harbour", "Northgate")
NOUNS = ("River", "Lantern", "Orchard", "Signal", "Winter", "Atlas", "Harbour", "Mirror", "Stone",
         "Garden", "Clock", "Meridian")  # fmt: skip

STAFF = """
CREATE TABLE department (department_id INTEGER PRIMARY KEY, name TEXT NOT NULL, site TEXT NOT NULL);
CREATE TABLE employee (employee_id INTEGER PRIMARY KEY, full_name TEXT NOT NULL,
                       department_id INTEGER NOT NULL REFERENCES department,
                       manager_id INTEGER REFERENCES employee, hired_on TEXT NOT NULL,
                       salary INTEGER NOT NULL);
CREATE TABLE leave_request (request_id INTEGER PRIMARY KEY,
                            employee_id INTEGER NOT NULL REFERENCES employee,
                            first_day TEXT NOT NULL, days INTEGER NOT NULL,
                            kind TEXT NOT NULL, status TEXT NOT NULL
                            CHECK (status IN ('open', 'approved', 'declined')));
"""
DEPARTMENTS = ("Finance", "Logistics", "Research", "Sales", "Support")
LEAVE = ("holiday", "parental", "study")


def shop(random: Random) -> bytes:
    """Customers, products, orders."""
    customers = [
        (n, name, random.choice(CITIES[:5]), _day(random, 2022)) for n, name in _people(random, 24)
    ]
    goods = [(category, title) for category, titles in GOODS.items() for title in titles]
    products = [
        (100 + n, title, category, round(random.uniform(3, 180), 2))
        for n, (category, title) in enumerate(goods)
    ]
    buyers = random.sample(range(1, 25), 19)
    states = ("placed", "shipped", "shipped", "shipped", "cancelled")
    orders = [
        (5000 + n, random.choice(buyers), _day(random, 2024), random.choice(states))
        for n in range(random.randint(60, 90))
    ]
    lines = [
        (order[0], 100 + product, random.randint(1, 6))
        for order in orders
        for product in random.sample(range(len(goods) - 2), random.randint(1, 4))
    ]
    return _file(
        SHOP, {"customer": customers, "product": products, "orders": orders, "order_line": lines}
    )


def library(random: Random) -> bytes:
    """Members, books, loans."""
    members = [(n, name, random.choice(BRANCHES)) for n, name in _people(random, 22)]
    authors = [name for _, name in _people(random, 9)]
    titles = random.sample([f"{a} and {b}" for a in NOUNS for b in NOUNS if a < b], 26)
    books = [
        (f"978-{random.randint(10**8, 10**9 - 1)}-{n}", title, random.choice(authors),
         random.choice(GENRES), random.randint(90, 720))
        for n, title in enumerate(titles)
    ]  # fmt: skip
    loans = []
    for n in range(random.randint(70, 110)):
        start = dt.date(2024, 1, 8) + dt.timedelta(days=random.randint(0, 200))
        due = start + dt.timedelta(days=21)
        back = start + dt.timedelta(days=random.randint(2, 34))
        open_ = random.random() < 0.15
        loans.append((n + 1, random.choice(books[:22])[0], random.randint(1, 20), start.isoformat(),
                      due.isoformat(), None if open_ else back.isoformat()))  # fmt: skip
    return _file(LIBRARY, {"member": members, "book": books, "loan": loans})


def staff(random: Random) -> bytes:
    """Departments, employees, leave."""
    departments = [
        (n, name, random.choice(("Graz", "Porto", "Turku")))
        for n, name in enumerate(DEPARTMENTS, 1)
    ]
    employees: list[tuple[object, ...]] = []
    for n, name in _people(random, 34):
        boss = None if n <= 4 else random.randint(1, 4)
        employees.append(
            (n, name, random.randint(1, 5), boss, _day(random, random.randint(2015, 2024)),
             random.randrange(34000, 98000, 250))
        )  # fmt: skip
    requests = [
        (n + 1, random.randint(1, 34), _day(random, 2024), random.randint(1, 15),
         random.choice(LEAVE), random.choice(("open", "approved", "approved", "declined")))
        for n in range(random.randint(50, 80))
    ]  # fmt: skip
    return _file(
        STAFF, {"department": departments, "employee": employees, "leave_request": requests}
    )


def _people(random: Random, count: int) -> list[tuple[int, str]]:
    names = random.sample([f"{first} {last}" for first in FIRST for last in LAST], count)
    return list(enumerate(names, 1))


def _day(random: Random, year: int) -> str:
    return (dt.date(year, 1, 1) + dt.timedelta(days=random.randint(0, 364))).isoformat()


def _file(schema: str, tables: dict[str, Iterable[tuple[object, ...]]]) -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(schema)
    for name, rows in tables.items():
        for row in rows:
            connection.execute(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", row)
    connection.commit()
    data = connection.serialize()
    connection.close()
    return data
