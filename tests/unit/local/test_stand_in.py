from __future__ import annotations

import base64
import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import ValidationError

from local.paths import ROOT
from local.upstream.api import Api
from local.upstream.behaviour import Behaviour, Dribble, Drop, Interim, Raw, Refuse, Silent
from local.upstream.caching import Caching
from local.upstream.client import StandInControl
from local.upstream.contract import Address, Customer, Product
from local.upstream.credentials import VARIABLE, Credential, CredentialError, Gate
from local.upstream.demo_data import CUSTOMERS, PRODUCTS
from local.upstream.server import running_stand_in

ADDRESS = CUSTOMERS[0].shipping_address.model_dump(mode="json", by_alias=True, exclude_none=True)
SKU = "TEST-SKU"


@pytest.fixture
def api_url() -> Iterator[str]:
    with running_stand_in(Api(CUSTOMERS, PRODUCTS)) as stand_in:
        yield stand_in.api_url


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10.0, trust_env=False) as client:
        yield client


@pytest.fixture
def control(api_url: str) -> Iterator[StandInControl]:
    with StandInControl(api_url) as client:
        yield client


def ship(
    http: httpx.Client, api_url: str, sku: str = SKU, *, read_timeout: float = 10.0
) -> httpx.Response:
    return http.post(
        f"{api_url}/shipments",
        json={"shippingAddress": ADDRESS, "products": [{"sku": sku, "quantity": 2}]},
        headers={"Idempotency-Key": "an-attempt"},
        timeout=httpx.Timeout(10.0, read=read_timeout),
    )


def a_product(**changes: object) -> Product:
    return PRODUCTS[0].model_copy(update={"id": uuid4(), "sku": f"SKU-{uuid4()}", **changes})


class TestTheContract:
    def test_a_customer_has_every_field(self, http: httpx.Client, api_url: str) -> None:
        response = http.get(f"{api_url}/customers/{CUSTOMERS[1].id}")

        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        body = response.json()
        assert body["id"] == str(CUSTOMERS[1].id)
        assert body["shippingAddress"]["postalCode"] == "21224"
        assert isinstance(body["lastModifiedAt"], int)
        assert Customer.model_validate(body) == CUSTOMERS[1]

    def test_a_price_is_a_json_number_with_the_decimals_it_has(
        self, http: httpx.Client, api_url: str
    ) -> None:
        text = http.get(f"{api_url}/products/{PRODUCTS[3].id}").text

        assert json.loads(text, parse_float=Decimal)["price"] == Decimal("1299.99")

    def test_an_id_in_upper_case_is_the_same_customer(
        self, http: httpx.Client, api_url: str
    ) -> None:
        response = http.get(f"{api_url}/customers/{str(CUSTOMERS[0].id).upper()}")

        assert response.json()["id"] == str(CUSTOMERS[0].id)

    @pytest.mark.parametrize(
        "path", ["customers/{}", "products/{}", "customers/unknown", "products/1", "orders/1", ""]
    )
    def test_what_is_not_there_is_a_404_with_a_message(
        self, http: httpx.Client, api_url: str, path: str
    ) -> None:
        response = http.get(f"{api_url}/{path.format(uuid4())}")

        assert response.status_code == 404
        assert response.json()["Message"]

    def test_a_shipment_has_an_id_of_its_own(self, http: httpx.Client, api_url: str) -> None:
        first, second = ship(http, api_url), ship(http, api_url)

        assert first.status_code == second.status_code == 200
        assert first.json()["id"] != second.json()["id"]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "[]",
            "{}",
            json.dumps({"shippingAddress": ADDRESS}),
            json.dumps({"products": []}),
            json.dumps({"shippingAddress": {}, "products": []}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": "A"}]}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": 1, "quantity": 1}]}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": "A", "quantity": 0}]}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": "A", "quantity": "1"}]}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": "A", "quantity": True}]}),
            json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": "A", "quantity": 1.5}]}),
        ],
    )
    def test_a_bad_shipment_request_is_a_400_and_makes_nothing(
        self, http: httpx.Client, api_url: str, control: StandInControl, body: str
    ) -> None:
        response = http.post(f"{api_url}/shipments", content=body)

        assert response.status_code == 400
        assert response.json()["Message"]
        assert control.all_shipments().requests == ()

    def test_another_method_is_a_405(self, http: httpx.Client, api_url: str) -> None:
        assert http.delete(f"{api_url}/customers/{CUSTOMERS[0].id}").status_code == 405
        assert http.get(f"{api_url}/shipments").headers["Allow"] == "POST"


class TestShipments:
    def test_what_was_asked_for_is_written_down(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        shipment_id = ship(http, api_url).json()["id"]

        (seen,) = control.shipments(SKU).requests
        assert seen.shipment_id == shipment_id
        assert seen.headers["idempotency-key"] == "an-attempt"
        assert seen.products == {SKU: 2}
        assert seen.shipping_address == CUSTOMERS[0].shipping_address
        assert control.shipments("ANOTHER").requests == ()

    @pytest.mark.parametrize("status", [400, 408, 500, 503, 504])
    def test_a_refusal_makes_no_shipment(
        self, http: httpx.Client, api_url: str, control: StandInControl, status: int
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Refuse(status=status, message="no")))

        response = ship(http, api_url)

        assert (response.status_code, response.json()) == (status, {"Message": "no"})
        log = control.shipments(SKU)
        assert len(log.requests) == 1
        assert log.shipment_ids == ()

    def test_a_plan_is_for_one_sku_only(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Refuse(status=500)))

        assert ship(http, api_url, "ANOTHER/SKU").status_code == 200
        assert len(control.shipments("ANOTHER/SKU").shipment_ids) == 1

    def test_a_plan_for_some_times_ends(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Refuse(status=503), times=2))

        assert [ship(http, api_url).status_code for _ in range(3)] == [503, 503, 200]

    def test_a_plan_can_be_taken_back(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Refuse(status=503)))
        control.clear("shipments", SKU)

        assert ship(http, api_url).status_code == 200

    @pytest.mark.parametrize("reset", [False, True])
    def test_a_dropped_connection_may_leave_a_parcel_behind(
        self, http: httpx.Client, api_url: str, control: StandInControl, reset: bool
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Drop(reset=reset), record=True))

        with pytest.raises(httpx.TransportError):
            ship(http, api_url)

        assert len(control.shipments(SKU).shipment_ids) == 1

    def test_silence_lasts_until_the_client_gives_up(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Silent(), record=False))

        with pytest.raises(httpx.ReadTimeout):
            ship(http, api_url, read_timeout=0.3)

        assert control.shipments(SKU).shipment_ids == ()

    def test_an_answer_can_be_late(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(delay_seconds=0.2))

        with pytest.raises(httpx.ReadTimeout):
            ship(http, api_url, read_timeout=0.05)

        assert len(control.shipments(SKU).shipment_ids) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            Raw(body="{}"),
            Raw(body="<html>", content_type="text/html"),
            Raw(body='{"id": 7}', headers={"ETag": "x"}),
        ],
    )
    def test_an_answer_can_break_the_contract(
        self, http: httpx.Client, api_url: str, control: StandInControl, answer: Raw
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=answer, record=True))

        response = ship(http, api_url)

        assert response.status_code == 200
        assert response.text == answer.body
        assert response.headers["Content-Type"] == answer.content_type
        assert response.headers.get("ETag") == answer.headers.get("ETag")
        assert len(control.shipments(SKU).shipment_ids) == 1

    def test_an_answer_can_be_cut_short(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Raw(body='{"id"', missing_bytes=9)))

        with pytest.raises(httpx.RemoteProtocolError):
            ship(http, api_url)

    def test_an_answer_can_be_any_bytes(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        content = gzip.compress(b"{}")
        answer = Raw.model_validate(
            {
                "status": 418,
                "body_base64": base64.b64encode(content),
                "headers": {"Content-Encoding": "gzip"},
            }
        )
        control.plan_shipments(SKU, Behaviour(answer=answer))

        response = ship(http, api_url)

        assert response.status_code == 418
        assert response.headers["Content-Length"] == str(len(content))
        assert response.json() == {}

    def test_an_answer_has_one_body(self) -> None:
        with pytest.raises(ValidationError, match="not both"):
            Raw.model_validate({"body": "{}", "body_base64": "e30="})

    @pytest.mark.parametrize("part", ["head", "body"])
    def test_an_answer_can_come_byte_by_byte(
        self,
        http: httpx.Client,
        api_url: str,
        control: StandInControl,
        part: Literal["head", "body"],
    ) -> None:
        dribble = Dribble(part=part, pause_seconds=0.002)
        control.plan_shipments(SKU, Behaviour(answer=Raw(body='{"id": "x"}', dribble=dribble)))

        began = time.monotonic()
        response = ship(http, api_url)

        assert response.json() == {"id": "x"}
        bytes_in_order = 11 if part == "body" else 100
        assert time.monotonic() - began >= bytes_in_order * 0.002

    def test_one_1xx_after_another_lasts_until_the_client_gives_up(
        self, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(answer=Interim(status=102, pause_seconds=0.01)))
        url = urlsplit(api_url)
        body = json.dumps({"shippingAddress": ADDRESS, "products": [{"sku": SKU, "quantity": 1}]})
        head = f"POST {url.path}/shipments HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
            connection.sendall((head + body).encode())
            received = b""
            while received.count(b"HTTP/1.1 102 ") < 3:
                received += connection.recv(1_000)

    def test_held_requests_wait_for_a_word(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(hold=True))
        with ThreadPoolExecutor(5) as pool:
            futures = [pool.submit(ship, http, api_url) for _ in range(5)]
            log = control.await_shipments(SKU, at_least=5)

            assert log.waiting == 5
            assert not any(future.done() for future in futures)
            # A parcel is on its way as soon as it was asked for.
            assert len(log.shipment_ids) == 5

            control.release("shipments", SKU)
            answers = {future.result().json()["id"] for future in futures}

        assert answers == set(log.shipment_ids)
        assert control.shipments(SKU).waiting == 0

    def test_waiting_for_requests_that_do_not_come_fails(self, control: StandInControl) -> None:
        with pytest.raises(httpx.HTTPStatusError, match="408"):
            control.await_shipments(SKU, at_least=1, timeout_seconds=0.05)

    def test_fifty_at_once_are_all_counted(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: ship(http, api_url), range(50)))

        ids = {answer.json()["id"] for answer in answers}
        assert len(ids) == 50
        assert set(control.shipments(SKU).shipment_ids) == ids


class TestCustomersAndProducts:
    def test_one_can_be_added_and_changed_and_removed(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        product = a_product()
        url = f"{api_url}/products/{product.id}"

        control.put_product(product)
        assert Product.model_validate(http.get(url).json()) == product

        control.price_product(product.id, Decimal("12.34"))
        changed = Product.model_validate_json(http.get(url).content)
        assert changed.price == Decimal("12.34")
        assert changed.last_modified_at > product.last_modified_at

        control.remove_product(product.id)
        assert http.get(url).status_code == 404

    def test_a_customer_can_move(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        address = Address(line1="1 New Road", city="X", postal_code="1", state="Y", country="US")

        control.move_customer(CUSTOMERS[0].id, address)

        body = http.get(f"{api_url}/customers/{CUSTOMERS[0].id}").json()
        assert Address.model_validate(body["shippingAddress"]) == address
        assert body["billingAddress"] == ADDRESS

    def test_reads_are_counted(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        http.get(f"{api_url}/customers/{CUSTOMERS[0].id}")
        http.get(f"{api_url}/customers/{CUSTOMERS[0].id}")

        report = control.customer(CUSTOMERS[0].id)
        assert report.entity == CUSTOMERS[0]
        assert report.reads == 2
        assert control.customer(CUSTOMERS[1].id).reads == 0

    @pytest.mark.parametrize("price", ["19.999", "-1", "NaN", '"19.99"', "1e400"])
    def test_an_answer_can_break_the_contract(
        self, http: httpx.Client, api_url: str, control: StandInControl, price: str
    ) -> None:
        body = f'{{"id": "{PRODUCTS[0].id}", "price": {price}}}'
        control.plan_product(PRODUCTS[0].id, Behaviour(answer=Raw(body=body)))

        assert http.get(f"{api_url}/products/{PRODUCTS[0].id}").text == body
        assert http.get(f"{api_url}/products/{PRODUCTS[1].id}").json()["sku"] == PRODUCTS[1].sku

    def test_a_held_read_tells_what_is_true_when_it_is_answered(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        product_id = PRODUCTS[0].id
        control.plan_product(product_id, Behaviour(hold=True, times=1))
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(http.get, f"{api_url}/products/{product_id}")
            while control.product(product_id).waiting == 0:
                assert not held.done()
            control.price_product(product_id, Decimal(1))
            control.release("products", product_id)

            assert held.result().json()["price"] == 1

    def test_an_unknown_customer_cannot_be_changed(self, control: StandInControl) -> None:
        address = CUSTOMERS[0].shipping_address

        with pytest.raises(httpx.HTTPStatusError, match="404"):
            control.move_customer(uuid4(), address)


class TestCaching:
    def test_an_etag_and_no_cache_control_unless_told_otherwise(
        self, http: httpx.Client, api_url: str
    ) -> None:
        headers = http.get(f"{api_url}/products/{PRODUCTS[0].id}").headers

        assert headers["ETag"]
        assert not {"Last-Modified", "Cache-Control"} & headers.keys()

    @pytest.mark.parametrize("weak", ["", "W/"])
    def test_who_has_it_gets_a_304_until_it_changes(
        self, http: httpx.Client, api_url: str, control: StandInControl, weak: str
    ) -> None:
        url = f"{api_url}/products/{PRODUCTS[0].id}"
        tag = http.get(url).headers["ETag"]
        condition = {"If-None-Match": f'"other", {weak}{tag}'}

        again = http.get(url, headers=condition)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)

        control.price_product(PRODUCTS[0].id, Decimal(3))
        assert http.get(url, headers=condition).json()["price"] == 3
        report = control.product(PRODUCTS[0].id)
        assert (report.reads, report.full, report.not_modified) == (3, 2, 1)

    def test_last_modified_counts_in_seconds_and_only_without_an_etag(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        url = f"{api_url}/customers/{CUSTOMERS[0].id}"
        control.cache_customer(CUSTOMERS[0].id, Caching(etag=False, last_modified=True))
        modified = http.get(url).headers["Last-Modified"]
        condition = {"If-Modified-Since": modified}

        assert http.get(url, headers=condition).status_code == 304
        assert http.get(url, headers={**condition, "If-None-Match": '"x"'}).status_code == 200
        assert http.get(url, headers={"If-Modified-Since": "once"}).status_code == 200
        control.put_customer(
            CUSTOMERS[0].model_copy(update={"last_modified_at": 2_000_000_000_000})
        )
        assert http.get(url, headers=condition).status_code == 200

    def test_a_rule_is_for_one_thing_or_for_all_others(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        def said(number: int) -> str | None:
            response = http.get(f"{api_url}/products/{PRODUCTS[number].id}")
            assert "ETag" not in response.headers
            said: str | None = response.headers.get("Cache-Control")
            return said

        control.cache_all(Caching(etag=False, cache_control="no-store"))
        control.cache_product(PRODUCTS[1].id, Caching(etag=False))

        assert (said(0), said(1)) == ("no-store", None)

    def test_no_validator_no_304(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        url = f"{api_url}/products/{PRODUCTS[0].id}"
        tag = http.get(url).headers["ETag"]
        control.cache_all(Caching(etag=False))

        assert http.get(url, headers={"If-None-Match": tag}).status_code == 200


class TestTheControlInterface:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (f"shipments/{SKU}/behaviour", '{"answer": {"kind": "shrug"}}'),
            (f"shipments/{SKU}/behaviour", '{"delay": 3}'),
            (f"shipments/{SKU}/behaviour", '{"times": 0}'),
            (f"customers/{UUID(int=1)}", '{"id": "x"}'),
            (f"customers/{UUID(int=1)}", CUSTOMERS[0].model_dump_json(by_alias=True)),
            ("customers/unknown", "{}"),
        ],
    )
    def test_what_it_does_not_understand_is_a_400(
        self, http: httpx.Client, api_url: str, path: str, body: str
    ) -> None:
        url = f"{api_url.removesuffix('/api')}/_control/{path}"

        assert http.put(url, content=body).status_code == 400

    def test_it_says_when_it_is_ready(self, http: httpx.Client, api_url: str) -> None:
        assert http.get(f"{api_url.removesuffix('/api')}/_control/ready").status_code == 200


class TestTheCredential:
    OLD = Credential(header="X-Api-Key", value="old")
    NEW = Credential(header="Authorization", value="Bearer new")

    @pytest.fixture
    def api_url(self) -> Iterator[str]:
        with running_stand_in(Api(CUSTOMERS, PRODUCTS, gate=Gate([self.OLD]))) as stand_in:
            yield stand_in.api_url

    def asked(self, http: httpx.Client, api_url: str, *credentials: Credential) -> list[int]:
        """The statuses of a read and of a shipment with each credential."""
        read = f"{api_url}/customers/{CUSTOMERS[0].id}"
        statuses = []
        for credential in credentials:
            http.headers = httpx.Headers({credential.header: credential.value})
            statuses += [http.get(read).status_code, ship(http, api_url).status_code]
        return statuses

    @pytest.mark.parametrize(
        "headers", [{}, {"X-Api-Key": "other"}, {"X-Api-Key": ""}, {"Authorization": "old"}]
    )
    @pytest.mark.parametrize("path", [f"customers/{CUSTOMERS[0].id}", "customers/1", "nothing"])
    def test_without_it_nobody_is_told_anything(
        self, http: httpx.Client, api_url: str, path: str, headers: dict[str, str]
    ) -> None:
        response = http.get(f"{api_url}/{path}", headers=headers)
        assert response.status_code == 401
        assert response.json() == {"Message": "The request bears no valid credential."}

    def test_without_it_nothing_is_shipped_or_counted(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.plan_shipments(SKU, Behaviour(times=1))
        assert ship(http, api_url).status_code == 401
        assert control.all_shipments().requests == ()
        assert control.gate().refused == 1

    def test_with_it_all_is_as_ever(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        assert self.asked(http, api_url, self.OLD) == [200, 200]
        (seen,) = control.all_shipments().requests
        assert seen.headers["x-api-key"] == "old"
        assert control.gate().refused == 0

    def test_it_can_be_changed_with_a_time_for_both(
        self, http: httpx.Client, api_url: str, control: StandInControl
    ) -> None:
        control.accept(self.OLD, self.NEW)
        assert self.asked(http, api_url, self.OLD, self.NEW) == [200, 200, 200, 200]
        control.accept(self.NEW)
        assert control.gate().accepted == (self.NEW,)
        assert self.asked(http, api_url, self.OLD, self.NEW) == [401, 401, 200, 200]
        control.accept()
        assert ship(http, api_url).status_code == 200

    @pytest.mark.parametrize("body", ["{}", "[{}]", '[{"header": "A", "value": 5}]', "["])
    def test_what_is_no_credential_changes_nothing(
        self, http: httpx.Client, api_url: str, control: StandInControl, body: str
    ) -> None:
        url = api_url.replace("/api", "/_control/credentials")
        assert http.put(url, content=body).status_code == 400
        assert control.gate().accepted == (self.OLD,)

    @pytest.mark.parametrize("text", ["", "secret", "X Y: secret", "X-Y:", ": secret", "X: a\nb"])
    def test_what_is_no_header_field_is_not_repeated(self, text: str) -> None:
        with pytest.raises(CredentialError) as raised:
            Credential.parse(text)
        assert "secret" not in str(raised.value)

    def test_it_is_given_by_the_environment_or_says_what_it_is_for(self) -> None:
        assert Credential.from_environment({VARIABLE: "Authorization: Bearer new"}) == self.NEW
        assert "development" in Credential.from_environment({VARIABLE: ""}).value
        assert str(self.NEW) == "Authorization: Bearer new"

    @pytest.mark.parametrize("how", ["argument", "environment"])
    def test_the_program_takes_it(self, http: httpx.Client, how: str) -> None:
        command = [sys.executable, "-m", "local.upstream", "--port", "0"]
        env = {**os.environ}
        if how == "argument":
            command += ["--credential", str(self.OLD)]
        else:
            env[VARIABLE] = str(self.OLD)
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            url = process.stdout.readline().decode().split()[-1]
            try:
                assert self.asked(http, url, self.OLD, self.NEW) == [200, 200, 401, 401]
            finally:
                process.terminate()
