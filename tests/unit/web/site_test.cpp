#include "adapters/web/site.h"

#include "adapters/web/assets.h"
#include "adapters/web/words.h"
#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::web;
using namespace std::chrono_literals;

namespace {

const std::string secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const std::string origin = "https://flagpost.example";
const std::set<std::string> roles{"worker", "manager", "feeder"};
const Instant start = from_us(1'780'000'000'000'000);

/// A site with one page and one form, and a browser before it.
struct Office {
    explicit Office(const std::string& proxy_secret = "") {
        crypto::SystemRandom system;
        static const std::string hash = hash_password("right", system);
        for (const auto& role : roles) {
            Person person;
            person.name = person.called = role;
            person.role = role;
            person.password = hash;
            person.code_secret = secret;
            write_person(file, person, roles);
        }
        people.emplace(file, roles);
        SiteSettings settings;
        settings.origin = origin;
        settings.organisation = "Norham";
        settings.practice = true;
        settings.force_desk = "01632 960101";
        settings.proxy_secret = proxy_secret;
        if (!proxy_secret.empty()) settings.proxy_header = "Remote-User";
        site.emplace(settings, *people, clock, random);
        site->set_navigation([](const Person& person, Instant) {
            return person.role == "feeder" ? std::vector<NavigationItem>{}
                                           : std::vector<NavigationItem>{{"/list", "List (1)"}};
        });
        site->get("/list", {"worker", "manager"}, [this](const Visit& visit) {
            const std::string choice = visit.request.field("choice");
            return site->message(visit, 200, "List", choice.empty() ? "nothing" : "kept " + choice);
        });
        site->get("/inbox", {"worker"}, [this](const Visit& visit) {
            Page page{"message", "Inbox"};
            page.view.text("heading", "Inbox").text("words", "");
            page.watching = is_watching(visit.request);
            return site->page(visit, page);
        });
        site->get("/list/{ref}", {"worker"}, [this](const Visit& visit) {
            return site->message(visit, 200, "One", visit.part("ref") + " " + site->token(visit.session));
        });
        site->get("/broken", {"worker"}, [](const Visit&) -> Response {
            throw std::runtime_error{"Ava Example could not be shown"};
        });
        site->post("/list/do", {"worker"}, [this](const Visit&) {
            ++did;
            return redirect("/list");
        });
    }

    Response send(const std::string& method, const std::string& path, const Fields& form = {},
                  const std::map<std::string, std::string>& headers = {}) {
        Request request;
        request.method = method;
        request.path = path.substr(0, path.find('?'));
        if (request.path != path) request.query = *parse_fields(path.substr(request.path.size() + 1));
        request.form = form;
        for (const auto& [name, value] : headers) request.headers.emplace(name, value);
        if (!cookie.empty()) request.headers.emplace("Cookie", "other=1; " + cookie);
        if (method == "POST" && !headers.contains("Origin") && !headers.contains("Sec-Fetch-Site"))
            request.headers.emplace("Sec-Fetch-Site", "same-origin");
        const Response response = site->handle(request);
        if (const auto set = response.header("Set-Cookie")) cookie = set->substr(0, set->find(';'));
        return response;
    }
    Response get(const std::string& path, const std::map<std::string, std::string>& headers = {}) {
        return send("GET", path, {}, headers);
    }
    std::string token() {
        const auto page = send("GET", "/list").body;
        const auto at = page.find("name=\"csrf\" value=\"");
        return at == std::string::npos ? "" : page.substr(at + 19, 128);
    }
    std::string code() { return *code_at(secret, to_us(clock.now()) / 30'000'000); }
    Response give_code(const std::string& digits) {
        const auto page = get("/sign-in/code").body;
        const auto at = page.find("name=\"csrf\" value=\"");
        return send("POST", "/sign-in/code",
                    {
                        {"csrf", page.substr(at + 19, 128)},
                        {"code",      digits                   }
        });
    }
    void sign_in(const std::string& name) {
        clock.advance(30s);  // a code serves once
        REQUIRE(send("POST", "/sign-in",
                     {
                         {"name",     name   },
                         {"password", "right"}
        })
                    .status == 303);
        REQUIRE(give_code(code()).status == 303);
    }

    test::TemporaryDirectory directory;
    std::filesystem::path file = directory.path() / "people.toml";
    test::ManualClock clock{start};
    crypto::SystemRandom random;
    std::optional<People> people;
    std::optional<Site> site;
    std::string cookie;
    int did = 0;
};

bool says(const Response& response, const std::string& words) {
    return response.body.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("every answer carries the headers, and only assets may be kept", "[web]") {
    Office office;
    const auto check = [](const Response& response) {
        CHECK(response.header("Content-Security-Policy") ==
              "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors "
              "'none'; "
              "base-uri 'none'");
        CHECK(response.header("Strict-Transport-Security") == "max-age=31536000");
        CHECK(response.header("X-Content-Type-Options") == "nosniff");
        CHECK(response.header("X-Frame-Options") == "DENY");
        CHECK(response.header("Referrer-Policy") == "same-origin");
        CHECK(response.header("Cross-Origin-Opener-Policy") == "same-origin");
        CHECK(response.header("Cross-Origin-Resource-Policy") == "same-origin");
        CHECK(response.header("Permissions-Policy"));
        CHECK(response.header("X-Robots-Tag") == "noindex, nofollow");
        CHECK_FALSE(response.header("Server"));
    };
    for (const auto* path : {"/", "/sign-in", "/hide", "/cookies", "/nothing", "/assets/nothing"}) {
        CAPTURE(path);
        const auto response = office.get(path);
        check(response);
        CHECK(response.header("Cache-Control") == "no-store");
    }
    office.sign_in("worker");
    for (const auto* path : {"/list", "/list/x", "/nothing", "/broken"}) {
        CAPTURE(path);
        check(office.get(path));
        CHECK(office.get(path).header("Cache-Control") == "no-store");
    }
    check(office.get(stylesheet().path));
    CHECK(office.get(stylesheet().path).header("Cache-Control") == "public, max-age=31536000, immutable");
}

TEST_CASE("each role gets its own pages, and of the rest the page of what does not exist", "[web]") {
    const auto [role, path, status] = GENERATE(table<const char*, const char*, int>({
        {"worker",  "/list",    200},
        {"manager", "/list",    200},
        {"feeder",  "/list",    404},
        {"worker",  "/list/x",  200},
        {"manager", "/list/x",  404},
        {"feeder",  "/list/x",  404},
        {"worker",  "/list/x/", 404},
        {"worker",  "/nothing", 404},
        {"worker",  "//",       404},
    }));
    CAPTURE(role, path);
    Office office;
    office.sign_in(role);
    CHECK(office.get(path).status == status);
    office.cookie.clear();
    CHECK(office.get(path).header("Location") == "/sign-in");
}

TEST_CASE("signing in takes name, password and code, and says one thing when any is wrong", "[web]") {
    Office office;
    for (const auto* name : {"worker", "nobody", ""}) {
        CAPTURE(name);
        const auto wrong = office.send("POST", "/sign-in",
                                       {
                                           {"name",     name   },
                                           {"password", "wrong"}
        });
        CHECK(wrong.status == 422);
        CHECK(says(wrong, words::sign_in_wrong));
        CHECK(says(wrong, "<title>Error: Sign in - Flagpost</title>"));
        CHECK(office.cookie.empty());
    }
    const auto half = office.send("POST", "/sign-in",
                                  {
                                      {"name",     "worker"},
                                      {"password", "right" }
    });
    CHECK(half.header("Location") == "/sign-in/code");
    CHECK(half.header("Set-Cookie")->ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    CHECK(half.header("Set-Cookie")->starts_with("__Host-fp_session="));
    CHECK(office.get("/list").header("Location") == "/sign-in");  // half is not enough
    const std::string before = office.cookie;
    CHECK(office.give_code("000000").status == 422);
    const std::string code = office.code();
    CHECK(office.give_code(code.substr(0, 3) + " " + code.substr(3)).header("Location") == "/list");
    CHECK(office.cookie != before);  // another value at the second step
    CHECK(office.get("/list").status == 200);

    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    CHECK(office.give_code(code).status == 422);  // used already
}

TEST_CASE("a password that was given out serves once: nothing is shown before another is chosen", "[web]") {
    Office office;
    auto worker = *office.people->find("worker");
    worker.one_time = true;
    office.people->put(worker);
    office.clock.advance(30s);
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    CHECK(office.give_code(office.code()).header("Location") == "/new-password");
    for (const auto* path : {"/list", "/", "/nothing"})
        CHECK(office.get(path).header("Location") == "/new-password");
    const auto choose = [&](const std::string& password, const std::string& again, bool token = true) {
        const auto page = office.get("/new-password").body;
        const auto at = page.find("name=\"csrf\" value=\"");
        return office.send(
            "POST", "/new-password",
            {
                {"csrf", token ? page.substr(at + 19, 128) : ""},
                {"password",      password                       },
                {"again",      again   }
        });
    };
    CHECK(says(choose("too short", "too short"), words::password_size));
    CHECK(says(choose(std::string(201, 'x'), std::string(201, 'x')), words::password_size));
    const auto differs = choose("three good words", "three bad words");
    CHECK(differs.status == 422);
    CHECK(says(differs, words::password_differs));
    CHECK(says(differs, "<title>Error: Choose your own password - Flagpost</title>"));
    CHECK(choose("three good words", "three good words", false).header("Location") == "/new-password");
    CHECK(office.people->find("worker")->one_time);
    CHECK(office.send("POST", "/list/do", {}).header("Location") == "/new-password");
    CHECK(office.did == 0);

    const std::string before = office.cookie;
    CHECK(choose("three good words", "three good words").header("Location") == "/list");
    CHECK(office.cookie != before);
    CHECK(office.get("/list").status == 200);
    CHECK_FALSE(office.people->find("worker")->one_time);
    office.cookie.clear();
    CHECK(office
              .send("POST", "/sign-in",
                    {
                        {"name",     "worker"},
                        {"password", "right" }
    })
              .status == 422);
    CHECK(office
              .send("POST", "/sign-in",
                    {
                        {"name",     "worker"          },
                        {"password", "three good words"}
    })
              .status == 303);
}

TEST_CASE("the given password itself cannot be chosen", "[web]") {
    Office office;
    crypto::SystemRandom random;
    auto worker = *office.people->find("worker");
    worker.one_time = true;
    worker.password = hash_password("given out in person", random);
    office.people->put(worker);
    office.clock.advance(30s);
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"             },
                    {"password", "given out in person"}
    });
    office.give_code(office.code());
    const auto page = office.get("/new-password").body;
    const auto answer = office.send("POST", "/new-password",
                                    {
                                        {"csrf", page.substr(page.find("name=\"csrf\" value=\"") + 19, 128)},
                                        {"password",      "given out in person"                                                },
                                        {"again",      "given out in person"   }
    });
    CHECK(says(answer, words::password_given));
    CHECK(office.people->find("worker")->one_time);
}

TEST_CASE("whoever signs in is told when they did before, whatever was restarted since", "[web]") {
    const test::TemporaryDirectory directory;
    {
        Journal journal{directory.path() / "pages"};
        Office office;
        office.site->set_journal(journal);
        office.sign_in("worker");
        CHECK_FALSE(says(office.get("/list"), "You last signed in"));
        CHECK(office.site->last_signed_in("worker") == office.clock.now());
    }
    Journal journal{directory.path() / "pages"};
    Office office;
    office.site->set_journal(journal);
    office.clock.advance(2h);
    office.sign_in("worker");
    CHECK(says(office.get("/list"), "You last signed in: Today, "));
    CHECK_FALSE(office.site->last_signed_in("manager"));
}

TEST_CASE("five wrong attempts with a name make it wait, whoever has it and whichever step", "[web]") {
    for (const std::string name : {"worker", "nobody"}) {
        Office office;
        for (int i = 0; i < 5; ++i)
            office.send("POST", "/sign-in",
                        {
                            {"name",     name   },
                            {"password", "wrong"}
            });
        const auto waits = office.send("POST", "/sign-in",
                                       {
                                           {"name",     name   },
                                           {"password", "right"}
        });
        CHECK(waits.status == 429);
        CHECK(says(waits, words::sign_in_wait));
        office.clock.advance(15min);
        CHECK(office
                  .send("POST", "/sign-in",
                        {
                            {"name",     name   },
                            {"password", "right"}
        })
                  .status == (name == "worker" ? 303 : 422));
    }
    Office office;
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    for (int i = 0; i < 5; ++i) office.give_code("000000");
    CHECK(office.give_code(office.code()).status == 429);
}

TEST_CASE("a form counts only from our own page, with this session's token", "[web]") {
    Office office;
    office.sign_in("worker");
    const std::string token = office.token();
    std::string other_token = token;
    other_token.back() = other_token.back() == '0' ? '1' : '0';
    Office elsewhere;
    elsewhere.sign_in("worker");
    struct Try {
        const char* why;
        std::string token;
        std::map<std::string, std::string> headers;
        int status;
    };
    const std::vector<Try> tries{
        {"right",                   token,             {},                                                    303},
        {"older browser",           token,             {{"Origin", origin}},                                  303},
        {"no token",                "",                {},                                                    400},
        {"wrong token",             other_token,       {},                                                    400},
        {"half of it",              token.substr(64),  {},                                                    400},
        {"another session's token", elsewhere.token(), {},                                                    400},
        {"another site",            token,             {{"Sec-Fetch-Site", "cross-site"}},                    400},
        {"a sibling site",          token,             {{"Sec-Fetch-Site", "same-site"}, {"Origin", origin}}, 400},
        {"typed address",           token,             {{"Sec-Fetch-Site", "none"}},                          400},
        {"another origin",          token,             {{"Origin", "https://elsewhere.example"}},             400},
        {"no origin said",          token,             {{"Origin", "null"}},                                  400},
    };
    for (const Try& each : tries) {
        CAPTURE(each.why);
        const int before = office.did;
        CHECK(office
                  .send("POST", "/list/do",
                        {
                            {"csrf", each.token}
        },
                        each.headers)
                  .status == each.status);
        CHECK(office.did - before == (each.status == 303 ? 1 : 0));
    }
}

TEST_CASE("the token's bytes differ on each page, so that compressed pages give nothing away", "[web]") {
    Office office;
    office.sign_in("worker");
    CHECK(office.token() != office.token());
}

TEST_CASE("nobody is signed in from another site's page", "[web]") {
    Office office;
    const auto refused = office.send("POST", "/sign-in",
                                     {
                                         {"name",     "worker"},
                                         {"password", "right" }
    },
                                     {{"Sec-Fetch-Site", "cross-site"}});
    CHECK(refused.status == 400);
    CHECK(office.cookie.empty());
}

TEST_CASE("HEAD, other methods and prefetching reach no page", "[web]") {
    Office office;
    office.sign_in("worker");
    for (const auto* method : {"HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", ""})
        CHECK(office.send(method, "/list").status == 405);
    CHECK(office
              .get("/list",
                   {
                       {"Sec-Purpose", "prefetch;prerender"}
    })
              .status == 503);
    CHECK(office
              .get("/list",
                   {
                       {"Purpose", "prefetch"}
    })
              .status == 503);
    CHECK(office.get("/" + std::string(path_size_max, 'a')).status == 404);
    CHECK(office.send("GET", "list").status == 404);
}

TEST_CASE("a session ends after 30 minutes without use and after 10 hours with it", "[web]") {
    Office office;
    office.sign_in("worker");
    office.clock.advance(29min);
    CHECK(office.get("/list").status == 200);
    office.clock.advance(30min);
    CHECK(office.get("/list").header("Location") == "/sign-in");
    office.sign_in("worker");
    for (int i = 0; i < 29; ++i) {
        office.clock.advance(20min);
        CHECK(office.get("/list").status == 200);
    }
    office.clock.advance(20min);
    CHECK(office.get("/list").status == 303);
}

TEST_CASE("a page that loads itself anew never lengthens a session, nor begins one", "[web]") {
    Office office;
    office.sign_in("worker");
    for (int i = 0; i < 29; ++i) {
        office.clock.advance(1min);
        CHECK(office.get("/inbox?watch=60").header("Refresh") == "60");
    }
    office.clock.advance(1min);
    const auto over = office.get("/inbox?watch=60");
    CHECK(over.header("Location") == "/sign-in");
    CHECK_FALSE(over.header("Refresh"));

    Office behind{"a secret of the proxy"};
    const std::map<std::string, std::string> by{
        {"Remote-User",           "worker"               },
        {"Flagpost-Proxy-Secret", "a secret of the proxy"}
    };
    CHECK(behind.get("/inbox?watch=60", by).header("Location") == "/inbox");
    CHECK(behind.cookie.empty());
    CHECK(behind.get("/inbox", by).status == 200);
    CHECK(behind.get("/inbox?watch=60", by).status == 200);
    behind.clock.advance(31min);
    CHECK(behind.get("/inbox?watch=60", by).header("Location") == "/inbox");
}

TEST_CASE("a form that came after its session ended is offered to the same person and no other", "[web]") {
    Office office;
    office.sign_in("worker");
    const std::string token = office.token();
    office.clock.advance(31min);
    CHECK(office
              .send("POST", "/list/do",
                    {
                        {"csrf",   token      },
                        {"choice", "contacted"}
    })
              .header("Location") == "/sign-in");
    CHECK(office.did == 0);
    office.sign_in("manager");
    CHECK(says(office.get("/list"), "nothing"));
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    office.clock.advance(30s);
    CHECK(office.give_code(office.code()).header("Location") == "/list?kept=1");
    const auto page = office.get("/list?kept=1");
    CHECK(says(page, "kept contacted"));
    CHECK(says(page, words::restored));
    CHECK(says(office.get("/list?kept=1"), "nothing"));  // once
}

TEST_CASE("a form with a page of its own is offered there, and the page for signing in says what is kept",
          "[web]") {
    Office office;
    office.site->get("/list/own/add", {"worker"}, [&](const Visit& visit) {
        return office.site->message(visit, 200, "Add", "filled " + visit.request.field("choice"));
    });
    office.site->post("/list/own/add", {"worker"}, [](const Visit&) { return redirect("/list"); });
    office.sign_in("worker");
    CHECK_FALSE(says(office.get("/sign-in"), words::ended));
    const std::string token = office.token();
    office.clock.advance(31min);
    CHECK(says(office.get("/sign-in"), words::ended));
    office.send("POST", "/list/own/add",
                {
                    {"csrf",   token      },
                    {"once",   "1"        },
                    {"choice", "contacted"}
    });
    CHECK(says(office.get("/sign-in"), words::ended_and_kept));
    office.clock.advance(30s);
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    CHECK(office.give_code(office.code()).header("Location") == "/list/own/add?kept=1");
    CHECK(says(office.get("/list/own/add?kept=1"), "filled contacted"));
}

TEST_CASE("signing out after the session has ended is nothing to be done again", "[web]") {
    Office office;
    office.sign_in("worker");
    const std::string token = office.token();
    office.clock.advance(31min);
    office.send("POST", "/sign-out",
                {
                    {"csrf", token}
    });
    office.clock.advance(30s);
    office.send("POST", "/sign-in",
                {
                    {"name",     "worker"},
                    {"password", "right" }
    });
    CHECK(office.give_code(office.code()).header("Location") == "/list");
}

TEST_CASE("behind a proxy nobody is sent to a page for signing in that is not there", "[web]") {
    Office office{"a secret of the proxy"};
    const std::map<std::string, std::string> by{
        {"Remote-User",           "worker"               },
        {"Flagpost-Proxy-Secret", "a secret of the proxy"}
    };
    const auto page = office.get("/list", by).body;
    const std::string token = page.substr(page.find("name=\"csrf\" value=\"") + 19, 128);
    office.clock.advance(31min);
    const auto late = office.send("POST", "/list/do",
                                  {
                                      {"csrf",   token      },
                                      {"choice", "contacted"}
    },
                                  by);
    CHECK(office.did == 0);
    CHECK(late.header("Location") == "/list?kept=1");
    const auto again = office.get("/list?kept=1", by);
    CHECK(says(again, "kept contacted"));
    CHECK(says(again, words::restored));

    const std::string fresh = again.body.substr(again.body.find("name=\"csrf\" value=\"") + 19, 128);
    const auto out = office.send("POST", "/sign-out",
                                 {
                                     {"csrf", fresh}
    },
                                 by);
    CHECK(out.header("Location") == "/sign-in");
    const auto over = office.get("/sign-in", by);
    CHECK(over.status == 200);
    CHECK(says(over, "You are signed out of Flagpost"));
    CHECK_FALSE(over.header("Set-Cookie"));  // nobody is signed in again by it
}

TEST_CASE("signing out ends the session and clears the browser", "[web]") {
    Office office;
    office.sign_in("worker");
    const std::string old = office.cookie;
    const auto out = office.send("POST", "/sign-out",
                                 {
                                     {"csrf", office.token()}
    });
    CHECK(out.header("Clear-Site-Data") == "\"cache\", \"storage\"");
    CHECK(out.header("Location") == "/sign-in");
    office.cookie = old;
    CHECK(office.get("/list").header("Location") == "/sign-in");
}

TEST_CASE("of one person only the newest few sessions live", "[web]") {
    Office office;
    office.sign_in("worker");
    const std::string first = office.cookie;
    for (std::size_t i = 0; i < sessions_per_person_max; ++i) office.sign_in("worker");
    CHECK(office.get("/list").status == 200);
    office.cookie = first;
    CHECK(office.get("/list").status == 303);
}

TEST_CASE("a page that fails says whom to phone and nothing of what failed", "[web]") {
    Office office;
    office.sign_in("worker");
    const auto broken = office.get("/broken");
    CHECK(broken.status == 503);
    CHECK(says(broken, "Sorry, there is a problem"));
    CHECK(says(broken, "What you recorded is safe. Phone 01632 960101."));
    CHECK_FALSE(says(broken, "Ava"));
}

TEST_CASE("the frame says who is signed in, that the children are not real, and that it is cut off",
          "[web]") {
    Office office;
    office.sign_in("worker");
    const auto cut = office.get("/list");
    CHECK(says(cut, "fp-status--cut-off"));
    CHECK(
        says(cut,
             "No connection to Flagpost since this program was started. There may be notices you cannot see. "
             "Phone 01632 960101. What you record here is kept and sent later."));
    CHECK(says(cut, words::practice));
    CHECK(says(cut, "worker, worker, Norham"));
    office.site->set_connection([&] { return Connection{true, office.clock.now()}; });
    const auto connected = office.get("/list");
    CHECK_FALSE(says(connected, "fp-status--cut-off"));
    CHECK(says(connected, "Connected. Last heard from the broker at "));
}

TEST_CASE("a reverse proxy signs people in only beside its secret, and its forms need a token all the same",
          "[web]") {
    Office office{"a secret of the proxy"};
    const std::map<std::string, std::string> proxied{
        {"Remote-User",           "worker"               },
        {"Flagpost-Proxy-Secret", "a secret of the proxy"}
    };
    CHECK(office
              .get("/list",
                   {
                       {"Remote-User", "worker"}
    })
              .status == 401);
    CHECK(office
              .get("/list",
                   {
                       {"Remote-User",           "worker"},
                       {"Flagpost-Proxy-Secret", "x"     }
    })
              .status == 401);
    CHECK(office
              .get("/list",
                   {
                       {"Remote-User",           "nobody"               },
                       {"Flagpost-Proxy-Secret", "a secret of the proxy"}
    })
              .status == 401);
    CHECK(office.get("/sign-in", {}).status == 401);  // no other way in
    const auto list = office.get("/list", proxied);
    CHECK(list.status == 200);
    const auto at = list.body.find("name=\"csrf\" value=\"");
    auto headers = proxied;
    headers.emplace("Sec-Fetch-Site", "same-origin");
    CHECK(office.send("POST", "/list/do", {}, headers).status == 400);
    CHECK(office
              .send("POST", "/list/do",
                    {
                        {"csrf", list.body.substr(at + 19, 128)}
    },
                    headers)
              .status == 303);
    auto other = headers;
    other["Remote-User"] = "manager";
    CHECK(office
              .send("POST", "/list/do",
                    {
                        {"csrf", list.body.substr(at + 19, 128)}
    },
                    other)
              .status == 303);
    CHECK(office.did == 1);
}

TEST_CASE("a desk without a broker says what it works from, and never that it is cut off", "[web]") {
    Office office{"a secret of the proxy"};
    office.site->set_standing([](Instant now) { return "Working at " + std::to_string(to_us(now)) + "."; });
    const auto page =
        office.send("GET", "/list",
                    {
    },
                    {{"Remote-User", "worker"}, {"Flagpost-Proxy-Secret", "a secret of the proxy"}});
    CHECK(page.status == 200);
    CHECK(page.body.find("Working at " + std::to_string(to_us(start)) + ".") != std::string::npos);
    CHECK(page.body.find("No connection") == std::string::npos);
    CHECK(page.body.find("fp-status--cut-off") == std::string::npos);
}
