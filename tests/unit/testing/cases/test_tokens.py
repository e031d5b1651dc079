"""What is answered by itself in a case, and what is not."""

from tests.support.casebook import run

GRANTED = """\
integration: crm
secrets: {id: {}, secret: {}}
http:
  base_url: https://crm.test
  auth:
    type: oauth2
    grant: client_credentials
    token_url: https://login.test/token
    client_id: "{{ secrets.id }}"
    client_secret: "{{ secrets.secret }}"
"""


def test_only_requests_for_tokens_are_answered_by_themselves():
    """Another call that no exchange is about is told, though it is a POST too."""
    noting = GRANTED + "operations: {note: {post: /notes, json: {a: 1}}}\n"

    ran = run("cases: crm\noperations: [{name: a, operation: note}]\n", crm=noting)

    assert ran.faults == ["request 1 was not expected: POST /notes; there is no exchange"]
