"""Names of one's own: of the back office and of the API, with and without a zone at Route 53."""

from __future__ import annotations

from tests.infra.synthesized import NAMES, Synthesized
from tests.infra.templates import Template, render


def _edge(synthesized: Synthesized) -> Template:
    assert synthesized.edge is not None
    return synthesized.edge


def test_the_back_office_has_its_name_its_certificate_and_nothing_old(named: Synthesized) -> None:
    config = _edge(named).one("AWS::CloudFront::Distribution").properties["DistributionConfig"]
    assert config["Aliases"] == ["till.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": NAMES["certificate_arn"],
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    outputs = _edge(named).document["Outputs"]
    assert outputs["BackofficeUrl"]["Value"] == "https://till.example.com"


def test_the_api_has_its_name_and_the_same_paths(named: Synthesized) -> None:
    compute = named.compute
    domain = named.data.one("AWS::ApiGateway::DomainName")
    assert domain.properties["DomainName"] == "api.till.example.com"
    assert domain.properties["RegionalCertificateArn"] == NAMES["api_certificate_arn"]
    assert domain.properties["SecurityPolicy"] == "TLS_1_2"
    mapping = compute.one("AWS::ApiGateway::BasePathMapping").properties
    assert mapping["DomainName"] == domain.properties["DomainName"]
    assert mapping["BasePath"] == "v1"
    assert mapping["Stage"] == {"Ref": compute.one("AWS::ApiGateway::Stage").logical_id}
    assert compute.document["Outputs"]["ApiUrl"]["Value"] == "https://api.till.example.com/v1/"


def test_the_records_lead_there(named: Synthesized) -> None:
    edge = [one.properties for one in _edge(named).all("AWS::Route53::RecordSet")]
    assert {(one["Name"], one["Type"]) for one in edge} == {
        ("till.example.com.", "A"),
        ("till.example.com.", "AAAA"),
    }
    distribution = _edge(named).one("AWS::CloudFront::Distribution").logical_id
    for one in edge:
        assert render(one["AliasTarget"]["DNSName"]) == f"<{distribution}.DomainName>"
    (api,) = (one.properties for one in named.data.all("AWS::Route53::RecordSet"))
    assert (api["Name"], api["Type"]) == ("api.till.example.com.", "A")
    assert {one["HostedZoneId"] for one in (*edge, api)} == {"Z0123456789"}


def test_without_a_zone_somebody_else_makes_the_records(dev: Synthesized) -> None:
    for template in (dev.data, dev.compute, _edge(dev)):
        assert not template.all("AWS::Route53::RecordSet")
    assert dev.data.all("AWS::ApiGateway::DomainName")


def test_without_names_there_are_those_of_aws(prod: Synthesized) -> None:
    config = _edge(prod).one("AWS::CloudFront::Distribution").properties["DistributionConfig"]
    assert "Aliases" not in config
    assert "ViewerCertificate" not in config
    assert not prod.data.all("AWS::ApiGateway::DomainName")
