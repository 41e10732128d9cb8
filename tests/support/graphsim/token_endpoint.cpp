#include "tests/support/graphsim/token_endpoint.hpp"

#include "tests/support/graphsim/encoding.hpp"

namespace graphsim {

namespace {

using Fields = std::map<std::string, std::string>;

constexpr std::string_view assertion_type =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view resources[] = {"https://graph.microsoft.com",
                                          "https://outlook.office365.com"};

std::string field(Fields const& fields, std::string_view name) {
    auto const found = fields.find(std::string(name));
    return found == fields.end() ? "" : found->second;
}

std::string endpoint_of(Context const& context) {
    return context.request.origin + context.request.path;
}

Tenant& tenant_of(Context const& context) {
    auto* const tenant = context.world.tenant_named(context.segments.at(0));
    if (tenant == nullptr) {
        throw TokenError(400, "invalid_request", 90002,
                         "Tenant '" + context.segments.at(0) + "' not found.");
    }
    return *tenant;
}

App& app_of(Tenant& tenant, std::string const& id) {
    if (id.empty()) {
        throw TokenError(400, "invalid_request", 900144,
                         "The request body must contain the following parameter: 'client_id'.");
    }
    auto const found = tenant.apps.find(id);
    if (found == tenant.apps.end()) {
        throw TokenError(400, "unauthorized_client", 700016,
                         "Application with identifier '" + id +
                             "' was not found in the directory '" + tenant.id + "'.");
    }
    return found->second;
}

void check_secret(App const& app, std::string const& secret, Time now) {
    for (auto const& each : app.secrets) {
        if (each.value != secret) continue;
        if (!each.expires || *each.expires > now) return;
        throw TokenError(401, "invalid_client", 7000222,
                         "The provided client secret keys for app '" + app.id + "' are expired.");
    }
    throw TokenError(401, "invalid_client", 7000215,
                     "Invalid client secret provided. Ensure the secret being sent in the request "
                     "is the client secret value, not the client secret ID, for a secret added to "
                     "app '" +
                         app.id + "'.");
}

/// Client id and secret may come as HTTP Basic credentials as well.
void take_basic_credentials(Context const& context, Fields& fields) {
    auto const header = context.request.header("authorization");
    if (!header.starts_with("Basic ")) return;
    auto const pair = from_base64(header.substr(6)).value_or("");
    auto const colon = pair.find(':');
    if (colon == pair.npos) return;
    fields["client_id"] = percent_decoded(pair.substr(0, colon), true);
    fields["client_secret"] = percent_decoded(pair.substr(colon + 1), true);
}

std::string resource_of(std::string const& scope) {
    constexpr std::string_view ending = "/.default";
    if (!scope.ends_with(ending) || scope.find(' ') != scope.npos) {
        throw TokenError(400, "invalid_scope", 70011,
                         "The provided request must include a 'scope' input parameter. The "
                         "provided value for the input parameter 'scope' is not valid: '" +
                             scope + "'.");
    }
    auto const resource = scope.substr(0, scope.size() - ending.size());
    for (auto const each : resources) {
        if (resource == each) return resource;
    }
    throw TokenError(400, "invalid_resource", 500011,
                     "The resource principal named " + resource + " was not found in the tenant.");
}

asio::awaitable<Response> issue_token(Context& context) {
    auto const type = context.request.header("content-type");
    auto const text = co_await whole_body(*context.request.body, 64 * 1024);
    auto fields = form_fields(text);
    if (!type.starts_with("application/x-www-form-urlencoded") || !fields) {
        throw TokenError(400, "invalid_request", 900144,
                         "The request body must contain the following parameter: 'grant_type'.");
    }
    auto& tenant = tenant_of(context);
    take_basic_credentials(context, *fields);
    if (field(*fields, "grant_type") != "client_credentials") {
        throw TokenError(
            400, "unsupported_grant_type", 70003,
            "The app requested an unsupported grant type '" + field(*fields, "grant_type") + "'.");
    }
    auto& app = app_of(tenant, field(*fields, "client_id"));
    context.audit.tenant = tenant.id;
    context.audit.app = app.id;
    auto const resource = resource_of(field(*fields, "scope"));
    auto const assertion = field(*fields, "client_assertion");
    if (!assertion.empty()) {
        if (field(*fields, "client_assertion_type") != assertion_type) {
            throw TokenError(400, "invalid_request", 90023, "Invalid client_assertion_type.");
        }
        check_assertion(context.world, app, assertion, endpoint_of(context));
    } else if (fields->contains("client_secret")) {
        check_secret(app, field(*fields, "client_secret"), context.now());
    } else {
        throw TokenError(401, "invalid_client", 7000218,
                         "The request body must contain the following parameter: "
                         "'client_assertion' or 'client_secret'.");
    }
    auto const lifetime = context.world.options.token_seconds;
    auto const token = "eyJ0" + base64url(secret_bytes(900));
    context.world.tokens[token] = {tenant.id, app.id, resource, app.roles,
                                   context.now() + seconds(lifetime)};
    auto const whole_seconds = static_cast<std::int64_t>(lifetime);
    json::object const body{{"token_type", "Bearer"},
                            {"expires_in", whole_seconds},
                            {"ext_expires_in", whole_seconds},
                            {"access_token", token}};
    auto response = json_response(200, body);
    response.headers.emplace_back("Cache-Control", "no-store, no-cache");
    response.headers.emplace_back("Pragma", "no-cache");
    co_return response;
}

Response refusal(Context const& context, TokenError const& error) {
    auto when = iso_time(context.now());
    when[10] = ' ';
    auto const code = std::to_string(error.code);
    auto const trace = random_guid();
    auto const correlation = random_guid();
    json::object const body{
        {"error", error.error},
        {"error_description", "AADSTS" + code + ": " + error.message + " Trace ID: " + trace +
                                  " Correlation ID: " + correlation + " Timestamp: " + when},
        {"error_codes", json::array{error.code}},
        {"timestamp", when},
        {"trace_id", trace},
        {"correlation_id", correlation},
        {"error_uri", context.request.origin + "/error?code=" + code}};
    context.audit.error_code = "AADSTS" + code;
    return json_response(error.status, body);
}

/// What OpenID Connect Discovery 1.0 calls the provider's metadata.
Response metadata(Context const& context) {
    auto const& tenant = tenant_of(context);
    auto const root = context.request.origin + "/" + tenant.id;
    return json_response(
        200,
        json::object{{"token_endpoint", root + "/oauth2/v2.0/token"},
                     {"authorization_endpoint", root + "/oauth2/v2.0/authorize"},
                     {"end_session_endpoint", root + "/oauth2/v2.0/logout"},
                     {"jwks_uri", root + "/discovery/v2.0/keys"},
                     {"issuer", root + "/v2.0"},
                     {"response_types_supported", json::array{"code", "id_token"}},
                     {"scopes_supported", json::array{"openid"}},
                     {"subject_types_supported", json::array{"pairwise"}},
                     {"token_endpoint_auth_methods_supported",
                      json::array{"client_secret_post", "private_key_jwt", "client_secret_basic"}},
                     {"tenant_region_scope", "EU"}});
}

}  // namespace

void identify_authority(Context& context) {
    if (context.segments.empty()) return;
    auto const* tenant = context.world.tenant_named(context.segments[0]);
    if (tenant != nullptr) context.audit.tenant = tenant->id;
}

asio::awaitable<Response> answer_authority(Context& context) {
    std::optional<TokenError> problem;
    try {
        auto const& segments = context.segments;
        bool const well_formed = segments.size() == 4;
        if (well_formed && segments[1] == "oauth2" && segments[2] == "v2.0" &&
            segments[3] == "token") {
            context.audit.route = "token";
            if (context.request.method != "POST") {
                throw TokenError(405, "invalid_request", 900561, "The endpoint only accepts POST.");
            }
            co_return co_await issue_token(context);
        }
        if (well_formed && segments[1] == "v2.0" && segments[2] == ".well-known" &&
            segments[3] == "openid-configuration") {
            context.audit.route = "openid configuration";
            co_return metadata(context);
        }
        throw TokenError(404, "invalid_request", 900971, "No such endpoint.");
    } catch (TokenError const& error) {
        problem = error;
    }
    co_return refusal(context, *problem);
}

}  // namespace graphsim
