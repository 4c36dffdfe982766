"""`python -m webapp.openapi` prints the OpenAPI document; it needs no settings and no database."""

import json

from webapp.api.routes import document

if __name__ == "__main__":
    print(json.dumps(document(), indent=2, ensure_ascii=False))
