# Till on one's own machine. `make` lists what there is.

.DEFAULT_GOAL := help
.PHONY: help run logs invoke audit fmt lint types one test test-fast test-integration test-e2e test-localstack test-endpoint test-backoffice test-browser screenshots bench openapi event-schemas architecture client fuzz simulate soak lock clean

# Ports and the external APIs of `make run`; 0 takes any free port.
PORT ?= 4566
UPSTREAM_PORT ?= 9000
ISSUER_PORT ?= 9100
BACKOFFICE_PORT ?= 8080
UPSTREAM_URL ?=

# Finds a Python, makes .venv and each node_modules if they are not up to date, and then becomes the
# module that follows. `exec`, so that a signal to make reaches the program itself.
SET_UP = python=$$(sh local/find-python) && exec "$$python" -m local.set_up

help: ## This list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: ## The whole system on this machine, until Ctrl-C (PORT=, BACKOFFICE_PORT=, ISSUER_PORT=, UPSTREAM_PORT=, UPSTREAM_URL=)
	@$(SET_UP) local.run --port $(PORT) --backoffice-port $(BACKOFFICE_PORT) --issuer-port $(ISSUER_PORT) \
		--upstream-port $(UPSTREAM_PORT) --upstream-url '$(UPSTREAM_URL)'

logs: ## What the functions of the running system have logged (FIND=, such as a correlation id)
	@$(SET_UP) local.function_logs $(if $(FIND),'$(FIND)')

INVOKE = OPERATION AS CUSTOMER PRODUCT PURCHASE ATTEMPT CODE VERSION QUERY BODY KEY IF_MATCH TARGET

# What was set on make's command line is in the environment: the shell reads it there, whatever is in it.
invoke: ## Call one function directly: docs/invoking.md (OPERATION=, AS=, CUSTOMER=, BODY=, TARGET=local|localstack|STAGE)
	@$(SET_UP) local.invoke $(foreach name,$(INVOKE),$(if $(filter command,$(origin $(name))),$(name)="$$$(name)"))

audit: ## Check every account, purchase and promo code in the tables against its hashes (TARGET=local|localstack|STAGE)
	@$(SET_UP) local.audit '$(or $(TARGET),local)'

fmt: ## Format the Python code, and repair what the linter can
	@$(SET_UP) ruff check --fix --quiet . ; $(SET_UP) ruff format .

lint: ## Format, lint, the direction of imports, the OpenAPI document
	@$(SET_UP) local.checks lint

types: ## mypy --strict, and the types of both TypeScript programs
	@$(SET_UP) local.checks types

one: ## One test, or some: TEST=tests/unit/domain/test_money.py, or TEST='tests/unit -k refund'
	@$(SET_UP) pytest $(TEST)

test: ## Every check: format, lint, types, imports, and all tests
	@$(SET_UP) local.checks all

test-fast: ## The checks that need no running system
	@$(SET_UP) local.checks fast

# A random first seed, unless one is given.
SEED ?=
HISTORIES ?= 1000

simulate: ## Run histories of the purchase protocol that could happen (SEED=, HISTORIES=)
	@export PYTHONPATH=.:layers/till/python && \
		$(SET_UP) tests.simulation.run $(if $(SEED),--seed $(SEED)) --histories $(HISTORIES) --keep

soak: ## Rounds of random faults and concurrent clients on a running system, with an audit after each (HOURS=, by default 1)
	@export TILL_SOAK_HOURS='$(or $(HOURS),1)' && $(SET_UP) pytest tests/integration/test_soak.py --capture=no --timeout=0

test-integration: ## Tests on a system that they start themselves, on free ports
	@$(SET_UP) pytest tests/integration

test-e2e: ## The two commands and the README, as written
	@$(SET_UP) pytest tests/e2e

test-backoffice: ## Types and component tests of the back office
	@$(SET_UP) local.checks backoffice

fuzz: ## Schemathesis and damaged answers of the upstreams, for an hour, new examples each time (MINUTES=)
	@export TILL_FUZZ_MINUTES='$(or $(MINUTES),60)' && $(SET_UP) pytest tests/integration/test_document.py tests/unit/adapters/test_mutated_answers.py

test-browser: ## The back office in a real browser, on a system of its own
	@$(SET_UP) local.in_browser npm run --silent test:e2e

screenshots: ## Take the pictures in docs/screenshots again, of a separate system
	@$(SET_UP) local.in_browser npm run --silent screenshots

# Another system for the tests of a running one: a LocalStack that is up, or any deployed stage.
AWS_URL ?= http://127.0.0.1:4566
API_URL ?=
ISSUER ?=
AUDIENCE ?=
STAND_IN ?=
BACKOFFICE_URL ?=
IDENTITY_KEYS ?=
# What of them to run.
TESTS ?= tests/e2e tests/integration
ELSEWHERE = TILL_TEST_STAND_IN='$(STAND_IN)' TILL_TEST_BACKOFFICE_URL='$(BACKOFFICE_URL)' \
	TILL_TEST_IDENTITY_KEYS='$(IDENTITY_KEYS)'

# The README's purchase first, while the demo's customer has bought nothing.
test-localstack: ## Integration and end-to-end tests, on the LocalStack that is up (AWS_URL=, STAND_IN=, BACKOFFICE_URL=, IDENTITY_KEYS=, TESTS=)
	@export $(ELSEWHERE) TILL_TEST_LOCALSTACK='$(AWS_URL)' && $(SET_UP) pytest $(TESTS)

test-endpoint: ## What of them can be run on any deployed API (API_URL=, ISSUER=, AUDIENCE=, STAND_IN=, BACKOFFICE_URL=, IDENTITY_KEYS=)
	@test -n '$(API_URL)' && test -n '$(ISSUER)' || { echo 'till: pass API_URL= and ISSUER=.' >&2; exit 2; }
	@export $(ELSEWHERE) TILL_TEST_API_URL='$(API_URL)' TILL_TEST_ISSUER='$(ISSUER)' \
		TILL_TEST_AUDIENCE='$(AUDIENCE)' && $(SET_UP) pytest $(TESTS)

bench: ## Measure cold starts, units, load, growth and memory (PART=cold|units|load|growth|memory, MOST=, ROUNDS=)
	@$(SET_UP) benchmarks.run $(PART) $(if $(MOST),--most $(MOST)) $(if $(ROUNDS),--rounds $(ROUNDS))

openapi: ## Generate the OpenAPI document from the handlers
	@$(SET_UP) infra.openapi

client: ## Generate the Python client in clients/python from the OpenAPI document
	@$(SET_UP) local.client

event-schemas: ## Generate the JSON schemas of the domain events from their models
	@$(SET_UP) infra.event_schemas

architecture: ## Write docs/deployed.md, a diagram and tables of what is deployed, from the synthesized templates
	@$(SET_UP) infra.architecture

lock: ## Generate all locks from pyproject.toml (UPGRADE=1 takes the newest versions)
	@$(SET_UP) local.lock $(if $(UPGRADE),--upgrade)

clean: ## Remove everything that make made
	rm -rf .venv .local .build cdk.out infra/node_modules local/identity/node_modules
	rm -rf backoffice/node_modules backoffice/dist backoffice/src/api/schema.d.ts
	rm -rf clients/python/till_client/generated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# On AWS. docs/runbooks/deploying.md says which settings a stage takes, from the environment.
.PHONY: bootstrap ci-roles synth diff deploy destroy smoke

bootstrap: ## Prepare an AWS account for the CDK, once in each account and region (STAGE=dev|staging|prod)
	@$(SET_UP) infra.account bootstrap '$(STAGE)'

ci-roles: ## Make the roles that GitHub Actions takes in an AWS account (REPOSITORY=, ENVIRONMENTS=, REGIONS=, PROVIDER=, DIFF=)
	@$(SET_UP) infra.account ci-roles --repository '$(REPOSITORY)' --environments '$(ENVIRONMENTS)' \
		--regions '$(REGIONS)' --provider '$(PROVIDER)' --diff '$(DIFF)'

synth: ## What a stage would be, in cdk.out/STAGE (STAGE=dev|staging|prod)
	@$(SET_UP) infra.deploy synth '$(STAGE)'

diff: ## What a deploy would change in a stage (STAGE=dev|staging|prod)
	@$(SET_UP) infra.deploy diff '$(STAGE)'

deploy: ## Deploy a stage to an AWS account (STAGE=dev|staging|prod)
	@$(SET_UP) infra.deploy deploy '$(STAGE)'

destroy: ## Take a stage's functions and routes down until the next deploy; data and addresses stay (STAGE=, CONFIRM=STAGE)
	@$(SET_UP) infra.deploy destroy '$(STAGE)' --confirm '$(CONFIRM)'

smoke: ## Ask a deployed stage whether it is there (API_URL=, BACKOFFICE_URL=, WAIT=)
	@$(SET_UP) infra.smoke --api-url '$(API_URL)' --backoffice-url '$(BACKOFFICE_URL)' --wait $(or $(WAIT),60)
