#include "adapters/police/endpoint.h"

#include <httplib.h>

#include <fstream>

#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/practice_pki.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unfinished_requests.h"

using namespace flagpost;
using namespace flagpost::police;
using nlohmann::json;

namespace {

constexpr auto token = "a token of the force";

json good(const std::string& reference = "NP-1") {
    return {
        {"reference",      reference             },
        {"version",        1                     },
        {"occurred",       "2026-11-17T12:00:00Z"},
        {"domestic_abuse", false                 }
    };
}

class World {
public:
    explicit World(std::uint64_t waiting_max = 1000)
        : box{directory_.path() / "box.db", clock_, random_},
          intake_{box, "31", clock_},
          endpoint{intake_, token, waiting_max} {}

    Reply post(const std::string& body) {
        return endpoint.answer(
            {"POST", "/incidents", "application/json", std::string{"Bearer "} + token, body});
    }
    Reply post(const json& body) { return post(body.dump()); }
    std::size_t waiting() const { return box.waiting(1000).size(); }

private:
    test::TemporaryDirectory directory_;
    SystemClock clock_;
    crypto::SystemRandom random_;

public:
    client::Box box;

private:
    Intake intake_;

public:
    Endpoint endpoint;
};

EndpointSettings listening_on(const std::string& host) {
    EndpointSettings settings;
    settings.host = host;
    return settings;
}

std::string first_problem(const Reply& reply) {
    if (reply.body["problems"].empty()) return "";
    const json& problem = reply.body["problems"][0];
    return problem["index"].dump() + " " + problem["field"].get<std::string>() + ": " +
           problem["why"].get<std::string>();
}

}  // namespace

TEST_CASE("an incident of the future, or of no postcode, is told beside the yes", "[police]") {
    World world;
    json ahead = good();
    ahead["occurred"] = "2096-11-17T12:00:00Z";
    const Reply early = world.post(ahead);
    CHECK(early.status == 202);
    REQUIRE(early.body["notes"].size() == 1);
    CHECK(early.body["notes"][0]["field"] == "occurred");
    CHECK(world.waiting() == 1);
    json misspelt = good();
    misspelt.erase("occurred");
    misspelt["occured"] = "2026-11-17T12:00:00Z";
    const Reply named = world.post(misspelt);
    CHECK(first_problem(named) == "0 occurred: is missing or no time");
    REQUIRE(named.body["notes"].size() == 1);
    CHECK(named.body["notes"][0]["field"] == "occured");
    json odd = good("NP-2");
    odd["postcode"] = "hello";
    odd["people"] = {
        {{"family_name", "Sample"}, {"home", {{"postcode", "ng5"}}}}
    };
    const Reply taken = world.post(odd);
    CHECK(taken.status == 202);
    REQUIRE(taken.body["notes"].size() == 2);
    CHECK(taken.body["notes"][0]["field"] == "postcode");
    CHECK(taken.body["notes"][1]["field"] == "people[0].home.postcode");
    CHECK(taken.body["notes"][1]["why"] == "is no UK postcode, sent as it stands");
}

TEST_CASE("an incident, or a list of them, is in the outbox when the caller hears so", "[police]") {
    World world;
    const auto one = world.post(good());
    CHECK(one.status == 202);
    CHECK(one.body["incidents"][0]["reference"] == "NP-1");
    CHECK(one.body["incidents"][0]["result"] == "queued");
    CHECK(one.body["incidents"][0]["message"] == to_hex(world.box.waiting(1)[0].id));
    const auto both = world.post(json::array({good(), good("NP-2")}));
    CHECK(both.status == 202);
    CHECK(both.body["incidents"][0]["result"] == "known");
    CHECK(both.body["incidents"][1]["result"] == "queued");
    CHECK(world.post(good("NP-2")).status == 200);
    CHECK(world.waiting() == 2);
}

TEST_CASE("a call with anything wrong in it is refused by index and field, and leaves nothing", "[police]") {
    auto no_time = good("NP-3");
    no_time.erase("occurred");
    auto bad_birth = good("NP-5");
    bad_birth["people"][0]["date_of_birth"] = "2/1/90";
    const std::string not_utf8 = "{\"reference\": \"\xff\"}";
    std::string two_answers = good().dump();  // which of them would decide whether a school hears
    two_answers.insert(1, "\"domestic_abuse\":true,");
    auto bad_version = good();
    bad_version["version"] = "two";
    const std::string deep = std::string(20, '[') + std::string(20, ']');
    const std::string second = json::array({good(), no_time}).dump();
    const std::string third = json::array({good(), good("NP-2"), bad_birth}).dump();
    const std::string twice = json::array({good(), good()}).dump();
    const std::string many = json(std::vector<json>(501, good())).dump();
    const std::string large(endpoint_body_max + 1, ' ');
    const auto [status, wanted, body] = GENERATE_COPY(table<int, const char*, std::string>({
        {400, "null body: not JSON, from byte 2 on",                 "{"                           },
        {400, "null body: not JSON, from byte 16 on",                not_utf8                      },
        {400, "null body: not JSON: a number",                       "[1e999]"                     },
        {400, "null body: a field stands twice: domestic_abuse",     "[" + two_answers + "]"       },
        {400, "null body: nested too deep",                          deep                          },
        {422, "null body: should be an incident",                    "[]"                          },
        {422, "null body: should be an incident",                    "7"                           },
        {422, "0 : should be an object",                             "[7]"                         },
        {422, "1 occurred: is missing or no time",                   second                        },
        {422, "2 people[0].date_of_birth: should be a date",         third                         },
        {422, "1 reference: this version already stands at index 0", twice                         },
        {422, "0 version: should be a whole number",                 "[" + bad_version.dump() + "]"},
        {413, "null body: has more than 500 incidents",              many                          },
        {413, "null body: is larger than",                           large                         },
    }));
    CAPTURE(wanted);
    World world;
    const auto reply = world.post(body);
    CHECK(reply.status == status);
    CHECK_THAT(first_problem(reply), Catch::StartsWith(wanted));
    CHECK(reply.body["problems"].size() == 1);
    CHECK(world.waiting() == 0);
}

TEST_CASE("another content of a version taken before is a conflict, and nothing of the call is kept",
          "[police]") {
    World world;
    (void)world.post(good());
    auto changed = good();
    changed["circumstances"] = "Something else.";
    const auto reply = world.post(json::array({good("NP-2"), changed}));
    CHECK(reply.status == 409);
    CHECK_THAT(first_problem(reply), Catch::StartsWith("1 version: was published before"));
    CHECK(world.waiting() == 1);
}

TEST_CASE("a detail that is left out is said, and the incident taken", "[police]") {
    World world;
    auto noted = good();
    noted["uprn"] = "unknown";
    const auto reply = world.post(noted);
    CHECK(reply.status == 202);
    CHECK(reply.body["notes"].dump() == R"([{"field":"uprn","index":0,"why":"not a valid UPRN, left out"}])");
}

TEST_CASE("with a full outbox nothing more is taken, and the caller hears when to come again", "[police]") {
    World world{2};
    CHECK(world.post(json::array({good("NP-1"), good("NP-2")})).status == 202);
    const auto full = world.post(good("NP-3"));
    CHECK(full.status == 503);
    CHECK(full.body["error"] == "full");
    REQUIRE(full.headers.size() == 1);
    CHECK(full.headers[0] == std::pair<std::string, std::string>{"Retry-After", "30"});
    world.box.confirmed({
        {world.box.waiting(1)[0].id, 7}
    });
    CHECK(world.post(good("NP-3")).status == 202);
}

TEST_CASE("only a bearer of the token is answered", "[police]") {
    World world;
    const auto authorization = GENERATE("", "a token of the force", "Bearer ", "Bearer a token of the forcE",
                                        "Basic a token of the force", "bearer x");
    const auto reply =
        world.endpoint.answer({"POST", "/incidents", "application/json", authorization, good().dump()});
    CHECK(reply.status == 401);
    CHECK(world.waiting() == 0);
}

TEST_CASE("what is not POST /incidents with JSON is said to be so", "[police]") {
    World world;
    const std::string bearer = std::string{"Bearer "} + token;
    CHECK(world.endpoint.answer({"GET", "/incidents", "", bearer, ""}).status == 405);
    CHECK(world.endpoint.answer({"POST", "/", "application/json", bearer, ""}).status == 404);
    CHECK(world.endpoint.answer({"POST", "/incidents", "text/csv", bearer, "x"}).status == 415);
    CHECK(world.endpoint
              .answer({"POST", "/incidents", "Application/JSON ;charset=utf-8", bearer, good("NP-0").dump()})
              .status == 202);
    CHECK(world.endpoint
              .answer({"POST", "/incidents", "application/json; charset=utf-8", bearer, good().dump()})
              .status == 202);
}

TEST_CASE("over a socket, bodies are bounded however they are sent", "[police]") {
    World world;
    const EndpointServer server{world.endpoint, listening_on("127.0.0.1")};
    httplib::Client client{"127.0.0.1", server.port()};
    client.set_bearer_token_auth(token);
    const auto posted = client.Post("/incidents", good().dump(), "application/json");
    REQUIRE(posted);
    CHECK(posted->status == 202);
    CHECK(json::parse(posted->body)["incidents"][0]["result"] == "queued");
    CHECK(world.waiting() == 1);

    const std::string large(endpoint_body_max + 1, ' ');
    const auto whole = client.Post("/incidents", large, "application/json");
    REQUIRE(whole);
    CHECK(whole->status == 413);
    CHECK_THAT(first_problem({413, json::parse(whole->body), {}}), Catch::Contains("is larger than"));

    std::size_t sent = 0;
    const auto chunked = client.Post(
        "/incidents",
        [&](std::size_t, httplib::DataSink& sink) {
            const std::string piece(64 * 1024, ' ');
            sent += piece.size();
            if (sent > 4 * endpoint_body_max) {
                sink.done();
                return true;
            }
            return sink.write(piece.data(), piece.size());
        },
        "application/json");
    CHECK((!chunked || chunked->status == 413));
    CHECK(world.waiting() == 1);

    httplib::Client stranger{"127.0.0.1", server.port()};
    const auto refused = stranger.Post("/incidents", good("NP-9").dump(), "application/json");
    REQUIRE(refused);
    CHECK(refused->status == 401);
    CHECK(refused->get_header_value("WWW-Authenticate") == "Bearer");
    CHECK(stranger.Get("/incidents")->status == 401);
}

TEST_CASE("callers who do not finish what they send keep nobody else out", "[police]") {
    World world;
    const EndpointServer server{world.endpoint, listening_on("127.0.0.1")};
    const test::UnfinishedRequests strangers{server.port(), 200};
    httplib::Client client{"127.0.0.1", server.port()};
    client.set_bearer_token_auth(token);
    const auto posted = client.Post("/incidents", good().dump(), "application/json");
    REQUIRE(posted);
    CHECK(posted->status == 202);
}

TEST_CASE("a caller needs a certificate that is not revoked, from the moment the list says so", "[police]") {
    const test::PracticePki pki{"--agency police/31 --agency police/32"};
    World world;
    EndpointSettings secured = listening_on("127.0.0.1");
    secured.certificate = pki.path("broker/tls.crt");
    secured.key = pki.path("broker/tls.key");
    secured.client_ca = pki.path("ca.crt");
    CHECK_THROWS_WITH((EndpointServer{world.endpoint, secured}), Catch::Contains("http_client_crl"));
    secured.client_crl = pki.path("ca.crt");
    CHECK_THROWS_WITH((EndpointServer{world.endpoint, secured}), Catch::Contains("no revocation list"));
    secured.client_crl = pki.path("crl.pem");
    const EndpointServer server{world.endpoint, secured};
    const auto status_for = [&](const std::string& caller) {
        const std::string certificate = caller.empty() ? "" : pki.path(caller + "/tls.crt").string();
        const std::string key = caller.empty() ? "" : pki.path(caller + "/tls.key").string();
        httplib::SSLClient client{"127.0.0.1", server.port(), certificate, key};
        client.enable_server_certificate_verification(false);
        client.set_bearer_token_auth(token);
        const auto answer = client.Post("/incidents", good().dump(), "application/json");
        return answer ? answer->status : 0;
    };
    CHECK(status_for("police-31") == 202);
    CHECK(status_for("police-32") == 200);
    CHECK(status_for("") == 0);

    const auto before = std::filesystem::last_write_time(secured.client_crl);
    const auto older = pki.path("older.pem");
    std::filesystem::copy_file(secured.client_crl, older);
    pki.revoke("police/31");
    std::filesystem::last_write_time(secured.client_crl, before + std::chrono::seconds{2});
    CHECK(status_for("police-31") == 0);
    CHECK(status_for("police-32") == 200);

    // What cannot be read takes nothing back, nor does a list of before.
    std::ofstream{secured.client_crl} << "half a file";
    std::filesystem::last_write_time(secured.client_crl, before + std::chrono::seconds{4});
    CHECK(status_for("police-31") == 0);
    CHECK(status_for("police-32") == 200);
    std::filesystem::copy_file(older, secured.client_crl, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::last_write_time(secured.client_crl, before + std::chrono::seconds{6});
    CHECK(status_for("police-31") == 0);
    CHECK(status_for("police-32") == 200);
}

TEST_CASE("incidents in clear are taken from this machine only", "[police]") {
    World world;
    CHECK_THROWS_WITH((EndpointServer{world.endpoint, listening_on("0.0.0.0")}),
                      Catch::Contains("this machine only"));
    EndpointSettings secured = listening_on("127.0.0.1");
    secured.certificate = secured.key = "/nowhere";
    CHECK_THROWS_WITH((EndpointServer{world.endpoint, secured}), Catch::Contains("cannot be used"));
}
