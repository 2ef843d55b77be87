//! The OpenAPI 3.1 document, made from the table of routes and the JSON Schemas of the wire types.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::route::Route;

/// The document for a table of routes.
pub fn document(routes: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.definitions_path = "/components/schemas".into();
        s.meta_schema = None;
    });
    let mut generator = SchemaGenerator::new(settings);
    let problem = generator.subschema_for::<licit_schemas::problem::Problem>().to_value();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let operation = operation(route, &mut generator, &problem);
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Licit",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "AI-governance model registry with data lineage. Every change is a fact in a tamper-evident ledger; \
                no release runs that no approved purpose and no approved legal basis covers.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "An API token"}},
            "schemas": generator.take_definitions(true),
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|p| p.strip_suffix('}')))
        .map(|name| {
            let schema = match name {
                "seq" => json!({"type": "integer", "minimum": 1}),
                "tile" => {
                    json!({"type": "string", "pattern": "^(0|[1-6]/)?(x[0-9]{3}/)*[0-9]{3}(\\.p/[1-9][0-9]{0,2})?$"})
                }
                "digest" => json!({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}),
                _ if route.mlflow => json!({"type": "string"}),
                _ => json!({"type": "string", "format": "uuid"}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect();
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(generator).to_value(), generator));
    }
    if route.keyed {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A retry with the same key gets the first answer", "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }));
    }
    if route.matched {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": true,
            "description": "ETag of the state that is changed", "schema": {"type": "string"},
        }));
    }
    let mut responses = Map::new();
    for status in route.success {
        let mut response = json!({"description": if *status == 201 { "Created" } else { "Done" }});
        if let (Some(gives), Some(map)) = (route.gives, response.as_object_mut()) {
            let schema = gives(generator).to_value();
            let mut content = json!({route.content_type: {"schema": schema}});
            if route.page {
                content["text/html"] = json!({"schema": {"type": "string"}});
            }
            map.insert("content".to_owned(), content);
        } else if route.content_type != "application/json"
            && let Some(map) = response.as_object_mut()
        {
            map.insert("content".to_owned(), json!({route.content_type: {"schema": {"type": "string"}}}));
        }
        responses.insert(status.to_string(), response);
    }
    for (status, text) in refusals(route) {
        let content = match route.mlflow {
            true => json!({"application/json": {"schema": told()}}),
            false => json!({"application/problem+json": {"schema": problem}}),
        };
        responses.insert(status.to_string(), json!({"description": text, "content": content}));
    }
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [tag(route.path)],
        "parameters": parameters,
        "responses": responses,
    });
    if let (Some(takes), Some(map)) = (route.takes, operation.as_object_mut()) {
        let schema = takes(generator).to_value();
        map.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {"application/json": {"schema": schema}}}),
        );
    }
    if let (Some(lines), Some(map)) = (route.lines, operation.as_object_mut()) {
        let described = if route.mlflow { "Bytes of any kind" } else { "One JSON text a line" };
        let content = json!({lines: {"schema": {"type": "string", "description": described}}});
        map.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    if let (true, Some(map)) = (route.foreign, operation.as_object_mut()) {
        let any = json!({"application/json": {"schema": {}}});
        map.insert("requestBody".to_owned(), json!({"required": true, "content": any}));
    }
    if let Some(map) = operation.as_object_mut() {
        if route.open {
            map.insert("security".to_owned(), json!([]));
        } else {
            let roles: Vec<String> = route.roles.iter().map(crate::facts::word).collect();
            map.insert("x-roles".to_owned(), json!(roles));
        }
    }
    operation
}

/// Names of the query parameters of a route.
pub fn parameters(route: &Route) -> Vec<String> {
    let Some(query) = route.query else { return Vec::new() };
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let schema = query(&mut generator).to_value();
    let parameters = query_parameters(&schema, &generator);
    parameters.iter().filter_map(|p| p["name"].as_str().map(str::to_owned)).collect()
}

/// An error as clients of `MLflow` read it.
fn told() -> Value {
    json!({
        "type": "object",
        "required": ["error_code", "message"],
        "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
    })
}

/// What a route may refuse with.
fn refusals(route: &Route) -> Vec<(u16, &'static str)> {
    if route.mlflow {
        let mut list = vec![
            (400, "A parameter does not do"),
            (401, "No valid token"),
            (403, "Not allowed, or the gate refused"),
            (404, "No such thing"),
            (503, "The registry cannot answer now"),
        ];
        if route.foreign || route.lines.is_some() {
            list.extend([
                (409, "Contradicts what is registered"),
                (413, "Too large"),
                (415, "Of another content type"),
                (501, "No place for artifacts is known"),
            ]);
        } else if route.path.contains("artifacts/") {
            list.push((501, "No place for artifacts is known"));
        }
        return list;
    }
    let mut list = vec![(400, "Malformed")];
    if !route.open {
        list.extend([(401, "No valid token"), (403, "Not allowed")]);
    }
    if route.path.contains('{') || route.query.is_some() {
        list.push((404, "No such thing"));
    }
    if route.takes.is_some() || route.lines.is_some() || route.foreign {
        list.extend([
            (409, "Contradicts what is registered, or the gate refused"),
            (413, "Too large"),
            (415, "Of another content type"),
            (422, "The document has faults"),
        ]);
        list.push((404, "No such thing"));
    } else {
        list.extend([(409, "Contradicts what is registered"), (422, "A parameter has faults")]);
    }
    if route.matched {
        list.extend([(412, "It changed in the meantime"), (428, "If-Match is missing")]);
    }
    list.push((503, "The registry cannot answer now"));
    list
}

/// Each member of the query's schema as a parameter.
fn query_parameters(schema: &Value, generator: &SchemaGenerator) -> Vec<Value> {
    let definition = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.rsplit('/').next())
        .and_then(|name| generator.definitions().get(name))
        .unwrap_or(schema);
    let required: Vec<&str> = definition
        .get("required")
        .and_then(Value::as_array)
        .map(|l| l.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    definition
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| {
            properties
                .iter()
                .map(|(name, schema)| {
                    json!({
                        "name": name, "in": "query", "required": required.contains(&name.as_str()),
                        "description": schema.get("description").cloned().unwrap_or(Value::Null).as_str().unwrap_or_default(),
                        "schema": without_null(schema),
                    })
                })
                .collect()
        })
        .unwrap_or_default()
}

/// A query parameter is left out, never null.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("description");
        if let Some(Value::Array(types)) = map.get("type") {
            let kept: Vec<Value> = types.iter().filter(|t| *t != "null").cloned().collect();
            let one = if kept.len() == 1 { kept[0].clone() } else { Value::Array(kept) };
            map.insert("type".to_owned(), one);
        }
        if let Some(Value::Array(options)) = map.get("anyOf") {
            let kept: Vec<&Value> =
                options.iter().filter(|o| o.get("type").and_then(Value::as_str) != Some("null")).collect();
            if let [one] = kept[..] {
                return one.clone();
            }
        }
    }
    schema
}

fn tag(path: &str) -> &str {
    if super::route::of_mlflow(path) {
        return "mlflow";
    }
    path.trim_start_matches("/api/v1/").split('/').find(|p| !p.is_empty()).unwrap_or("server")
}
