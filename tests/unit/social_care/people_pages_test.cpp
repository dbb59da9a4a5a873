#include "adapters/web/people_pages.h"

#include "adapters/desk/fields.h"
#include "adapters/social_care/cover_pages.h"
#include "adapters/social_care/pages.h"
#include "adapters/social_care/staff_kind.h"
#include "adapters/web/settings.h"
#include "tests/support/catch.h"
#include "tests/support/office.h"

using namespace flagpost;
using namespace flagpost::social_care;
using namespace std::chrono_literals;
using test::has;
using test::person;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");  // a Sunday

schemas::SocialCareNoticeValue notice(std::uint8_t number, const std::string& worker) {
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, number);
    value.reference = "FP-" + std::to_string(number);
    value.la = "E10000024";
    value.la_child_id = "C" + std::to_string(number);
    value.child = std::make_unique<schemas::PersonValue>();
    value.child->given_names = "Ava";
    value.child->family_name = "Example";
    value.flag_start = "2025-06-19";
    value.force = "31";
    value.incident_reference = "NP-" + std::to_string(number);
    value.incident_version = 1;
    value.category = "Domestic abuse";
    value.not_a_referral = "x";
    value.worker = std::make_unique<schemas::WorkerValue>();
    value.worker->name = worker;
    value.team = "North";
    value.act_by_us = to_us(now + 8h);
    return value;
}

struct Office : test::Office {
    Office()
        : test::Office{*AgencyId::parse("social-care/E10000024"),
                       now,
                       {person("sam", "Sam Patel", "worker", {"North"}), person("lee", "Lee Jones", "worker", {"South"}),
                        person("max", "Max Reid", "manager", {"North"}), person("ada", "Ada Low", "admin", {}),
                        person("bob", "Bob Hart", "admin", {}), person("fay", "Fay Dunn", "feeder", {})},
                       roles()},
          pages{*site, reader, handover, journal, *people, PageSettings{}},
          staff{*site, journal, *people, random, handover, agency, staff_kind(pages, *people)},
          covering{*site, journal, *people, handover, agency} {
        site->set_journal(journal);
        begin();
    }
    void receive(const schemas::SocialCareNoticeValue& value) {
        test::Office::receive<schemas::SocialCareNotice>("notices/social-care/E10000024",
                                                         schemas::Kind::social_care_notice, value);
    }
    bool sees(const std::string& who, const std::string& reference) {
        return send(who, "GET", "/notices/" + reference).status == 200;
    }
    int cover(const std::string& who, const std::string& away, const std::string& by, const std::string& from,
              const std::string& until) {
        return post(who, "/cover/set",
                    {
                        {"away",  away },
                        {"by",    by   },
                        {"from",  from },
                        {"until", until}
        })
            .status;
    }

    std::vector<std::string> told() { return test::told_of_staff(reader, "receipts/social-care/E10000024"); }
    void go_to(const std::string& instant) { clock.advance(*desk::parse_instant(instant) - clock.now()); }

    Pages pages;
    web::PeoplePages staff;
    CoverPages covering;
};

}  // namespace

TEST_CASE("an admin adds somebody, whose password is said once and not kept", "[social_care]") {
    Office office;
    const auto added = office.post(
        "ada", "/users/add",
        {
            {"name",   "nia.new"    },
            {"called", "Nia New"    },
            {"role",   "worker"     },
            {"teams",  "North, East"}
    });
    REQUIRE(added.status == 200);
    const auto at = added.body.find("Password</dt>");
    REQUIRE(at != std::string::npos);
    const auto begin = added.body.find("fp-code\">", at) + 9;
    const std::string password = added.body.substr(begin, added.body.find('<', begin) - begin);
    const auto nia = office.people->find("nia.new");
    REQUIRE(nia);
    CHECK(nia->role == "worker");
    CHECK(nia->teams == std::set<std::string>{"North", "East"});
    CHECK(web::check_password(nia->password, password));
    CHECK(nia->one_time);
    CHECK(has(added.body, nia->code_secret));
    const auto list = office.get("ada", "/users");
    CHECK(has(list, "Nia New"));
    CHECK_FALSE(has(list, nia->code_secret));
    CHECK_FALSE(has(office.get("ada", "/users/nia.new"), nia->code_secret));
}

TEST_CASE("nobody is added who could not be told from others", "[social_care]") {
    Office office;
    const auto [name, called, role, words] =
        GENERATE(table<const char*, const char*, const char*, const char*>({
            {"sam",     "Sam Patel", "worker", "Somebody has that name already"},
            {"Sam Two", "Sam Patel", "worker", "Enter a name to sign in with"  },
            {"",        "Sam Patel", "worker", "Enter a name to sign in with"  },
            {"add",     "Sam Patel", "worker", "Enter a name to sign in with"  },
            {"../x",    "Sam Patel", "worker", "Enter a name to sign in with"  },
            {"new",     " ",         "worker", "Enter the name as your case"   },
            {"new",     "New",       "root",   "Choose a role"                 },
            {"sam2",    "Sam Patel", "worker", "each would see the other"      },
            {"sam2",    "Max Reid",  "duty",   "each would see the other"      }
    }));
    CAPTURE(name, called, role);
    const auto before = office.people->everybody().size();
    const auto response = office.post("ada", "/users/add",
                                      {
                                          {"name",   name  },
                                          {"called", called},
                                          {"role",   role  }
    });
    CHECK(response.status == 422);
    CHECK(has(response.body, words));
    CHECK(office.people->everybody().size() == before);
}

TEST_CASE("two people may have one name where no notice is found by it, and names count in letters",
          "[social_care]") {
    Office office;
    const auto add = [&](const std::string& name, const std::string& called, const std::string& role) {
        return office
            .post("ada", "/users/add",
                  {
                      {"name",   name  },
                      {"called", called},
                      {"role",   role  }
        })
            .status;
    };
    std::string long_name, longer;
    for (int i = 0; i < 100; ++i) long_name += "\xD9\x85";  // an Arabic letter
    CHECK(add("sam.feeds", "Sam Patel", "feeder") == 200);
    CHECK(add("long", long_name, "worker") == 200);
    longer = long_name + "x";
    CHECK(add("longer", longer, "worker") == 422);

    // Whoever is away for good gives the name free, and cannot come back to it.
    CHECK(office.post("ada", "/users/lee/suspend", {}).status == 303);
    CHECK(add("lee2", "Lee Jones", "worker") == 200);
    CHECK(office.post("ada", "/users/lee/reinstate", {}).status == 409);
    CHECK_FALSE(office.people->find("lee"));
}

TEST_CASE("a forgotten password is replaced, at once and by one that serves once", "[social_care]") {
    Office office;
    const auto before = office.people->find("lee");
    REQUIRE(before);
    const auto renewed = office.post("ada", "/users/lee/password", {});
    CHECK(renewed.status == 200);
    const auto lee = office.people->find("lee");
    REQUIRE(lee);
    CHECK(lee->one_time);
    CHECK(lee->password != before->password);
    CHECK(lee->code_secret == before->code_secret);
    const auto at = renewed.body.find("fp-code\">");
    REQUIRE(at != std::string::npos);
    CHECK(web::check_password(lee->password, renewed.body.substr(at + 9, 24)));
    CHECK_FALSE(has(renewed.body, "Second step"));
    CHECK(office.post("ada", "/users/ada/password", {}).status == 409);
}

TEST_CASE("nobody changes their own role or access", "[social_care]") {
    Office office;
    CHECK(office
              .post("ada", "/users/ada/change",
                    {
                        {"called", "Ada Low"},
                        {"role",   "manager"}
    })
              .status == 409);
    CHECK(office.post("ada", "/users/ada/suspend", {}).status == 409);
    CHECK(office.post("ada", "/users/ada/renew", {}).status == 409);
    CHECK(office.people->find("ada")->role == "admin");
    CHECK(office
              .post("bob", "/users/ada/change",
                    {
                        {"called", "Ada Low"},
                        {"role",   "feeder" }
    })
              .status == 303);
    CHECK(office.people->find("ada")->role == "feeder");
    CHECK(office.send("ada", "GET", "/users").status == 404);
}

TEST_CASE("a leaver with open notices cannot be suspended without naming who takes them", "[social_care]") {
    Office office;
    office.receive(notice(1, "Sam Patel"));
    office.receive(notice(2, "Sam Patel"));
    office.receive(notice(3, "Lee Jones"));
    CHECK(has(office.get("ada", "/users/sam"), "Sam Patel has 2 open notices. Who takes them?"));
    for (const std::string taker : {"", "sam", "max", "fay", "nobody"}) {
        const auto refused = office.post("ada", "/users/sam/suspend",
                                         {
                                             {"taker", taker}
        });
        CHECK(refused.status == 422);
        CHECK(has(refused.body, "Choose who takes the open notices"));
    }
    CHECK(office.people->find("sam"));
    CHECK_FALSE(office.sees("lee", "FP-1"));

    CHECK(office
              .post("ada", "/users/sam/suspend",
                    {
                        {"taker", "lee"}
    })
              .status == 303);
    CHECK_FALSE(office.people->find("sam"));
    CHECK(office.send("sam", "GET", "/inbox").status == 401);
    for (const std::string reference : {"FP-1", "FP-2", "FP-3"}) CHECK(office.sees("lee", reference));
    CHECK(has(office.get("ada", "/users/sam"), "Suspended"));
    CHECK(office.post("ada", "/users/sam/reinstate", {}).status == 303);
    CHECK(office.send("sam", "GET", "/inbox").status == 200);
}

TEST_CASE("who has nothing open is suspended at once, and a new second step replaces the old",
          "[social_care]") {
    Office office;
    const auto renewed = office.post("ada", "/users/lee/renew", {});
    CHECK(renewed.status == 200);
    CHECK(has(renewed.body, office.people->find("lee")->code_secret));
    CHECK_FALSE(has(renewed.body, "Password</dt>"));
    CHECK(office.post("ada", "/users/lee/suspend", {}).status == 303);
    CHECK_FALSE(office.people->find("lee"));
}

TEST_CASE("each change of who may sign in is told the broker's log, with both persons", "[social_care]") {
    Office office;
    REQUIRE(office
                .post("ada", "/users/add",
                      {
                          {"name",   "nia"    },
                          {"called", "Nia New"},
                          {"role",   "worker" }
    })
                .status == 200);
    CHECK(office
              .post("ada", "/users/nia/change",
                    {
                        {"called", "Nia New"},
                        {"role",   "manager"}
    })
              .status == 303);
    CHECK(office.post("bob", "/users/lee/renew", {}).status == 200);
    CHECK(office.post("bob", "/users/lee/suspend", {}).status == 303);
    CHECK(office.post("bob", "/users/lee/reinstate", {}).status == 303);
    CHECK(office.cover("sam", "sam", "lee", "2026-01-12", "2026-01-16") == 303);
    CHECK(office
              .post("sam", "/cover/end",
                    {
                        {"away", "sam"}
    })
              .status == 303);
    CHECK(office.post("ada", "/users/ada/renew", {}).status == 409);  // what is refused is not told
    CHECK(office.told() ==
          std::vector<std::string>{"added Nia New by Ada Low: worker", "changed Nia New by Ada Low: manager",
                                   "renewed Lee Jones by Bob Hart", "suspended Lee Jones by Bob Hart",
                                   "reinstated Lee Jones by Bob Hart",
                                   "covered Sam Patel by Sam Patel: Lee Jones",
                                   "uncovered Sam Patel by Sam Patel"});
}

TEST_CASE("a change that cannot be written down for the log is not made", "[social_care]") {
    Office office;
    office.owner.request_stop();
    office.owner.join();  // nobody writes to the outbox any more
    CHECK(office.post("ada", "/users/lee/suspend", {}).status == 503);
    CHECK(office.people->find("lee"));
    CHECK(office.told().empty());
    CHECK(office.journal.story_of("users/lee").empty());
}

TEST_CASE("where the people's file cannot be written the log is told nothing", "[social_care]") {
    Office office;
    const auto moved = office.directory.path() / "elsewhere.toml";
    std::filesystem::rename(office.directory.path() / "people.toml", moved);
    std::filesystem::create_directory(office.directory.path() / "people.toml");
    CHECK(office.post("ada", "/users/lee/suspend", {}).status == 503);
    CHECK(office.told().empty());
    std::filesystem::remove(office.directory.path() / "people.toml");
    std::filesystem::rename(moved, office.directory.path() / "people.toml");
    CHECK(office.post("ada", "/users/lee/suspend", {}).status == 303);
    CHECK(office.told() == std::vector<std::string>{"suspended Lee Jones by Ada Low"});
}

TEST_CASE("who adds somebody from a terminal is told the log too, and what it was", "[social_care]") {
    const test::TemporaryDirectory directory;
    client::Config config{"",
                          0,
                          "",
                          *AgencyId::parse("social-care/E10000024"),
                          {},
                          {},
                          {},
                          {},
                          directory.path() / "box.db",
                          "",
                          {},
                          {{"people", "people.toml"}}};
    auto sam = person("sam", "Sam Patel", "worker", {});
    const auto add = [&](const std::string& by) {
        return web::add_person(config, directory.path() / "social-care.toml", sam, roles(), by);
    };
    add("Ada Low");
    add("Ada Low");
    sam.role = "manager";
    add(web::own_account());
    auto other = sam;
    other.name = "sam2";
    CHECK_THROWS_WITH(web::add_person(config, directory.path() / "social-care.toml", other, roles(),
                                      "Ada Low", fault_in_name),
                      Catch::Contains("each would see the other"));
    test::ManualClock clock{now};
    crypto::SystemRandom random;
    web::Reader reader{config.data, clock, random};
    CHECK(test::told_of_staff(reader, "receipts/social-care/E10000024") ==
          std::vector<std::string>{"added Sam Patel by Ada Low: worker", "renewed Sam Patel by Ada Low",
                                   "changed Sam Patel by " + web::own_account() + ": manager"});
    CHECK_FALSE(web::own_account().empty());
}

TEST_CASE(
    "what is changed in the file of people by hand is told the log once, and what came by a page is not told "
    "again",
    "[social_care]") {
    Office office;
    office.owner.request_stop();
    office.owner.join();
    client::Box box{office.file, office.clock, office.random};
    const auto file = office.directory.path() / "people.toml";
    const std::string by = std::string{" by "} + web::changed_by_hand;
    const auto told = [&] { return office.told(); };
    const auto notice_it = [&] {  // as a program that was started anew does, and again
        web::People people{file, roles()};
        web::StaffWatch watch{people, office.agency};
        watch.turn(box, now);
        watch.turn(box, now);
    };
    notice_it();
    CHECK(told().size() == 6);
    CHECK(told().front() == "added Ada Low" + by + ": admin");
    notice_it();
    CHECK(told().size() == 6);

    auto sam = *office.people->find("sam");
    sam.role = "manager";
    web::change_staff(box, office.agency, {schemas::StaffDoes::changed, "Ada Low", sam}, now,
                      [&] { web::write_person(file, sam, roles()); });
    notice_it();
    CHECK(told().back() == "changed Sam Patel by Ada Low: manager");
    CHECK(told().size() == 7);

    web::People people{file, roles()};
    web::StaffWatch watch{people, office.agency};
    watch.turn(box, now);
    sam.teams = {"South"};
    sam.password = "$argon2id$another";
    sam.suspended = true;
    auto lee = *office.people->find("lee");
    lee.cover = web::Cover{"max", "2026-01-12", "2026-01-13"};
    web::write_person(file, sam, roles());
    web::write_person(file, lee, roles());
    std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + 1s);
    watch.turn(box, now);
    auto all = told();
    REQUIRE(all.size() == 11);
    CHECK(std::vector(all.begin() + 7, all.end()) ==
          std::vector<std::string>{"covered Lee Jones" + by + ": Max Reid",
                                   "changed Sam Patel" + by + ": manager", "renewed Sam Patel" + by,
                                   "suspended Sam Patel" + by});

    // Whoever is taken out of the file cannot sign in any more; who was suspended could not before.
    std::filesystem::remove(file);
    web::write_person(file, *office.people->find("ada"), roles());
    notice_it();
    all = told();
    CHECK(all.size() == 15);
    CHECK(std::ranges::count(all, "suspended Fay Dunn" + by) == 1);
    CHECK(std::ranges::count(all, "suspended Sam Patel" + by) == 1);
    notice_it();
    CHECK(told().size() == 15);
    const auto facts = box.facts_under("staff/");
    CHECK(facts.size() == 1);
    CHECK(facts.at("ada").find(office.people->find("ada")->password.empty()
                                   ? "argon2"
                                   : office.people->find("ada")->password) == std::string::npos);
}

TEST_CASE("an admin sees when somebody last signed in, whatever was restarted since", "[social_care]") {
    Office office;
    CHECK(has(office.get("ada", "/users"), "Never"));
    office.journal.note({"users/sam", "signed in", "sam", "Sam Patel", {}, now - 26h});
    CHECK(has(office.get("ada", "/users"), "Yesterday, 6:12am"));
}

TEST_CASE("people are an admin's business, who sees no notice", "[social_care]") {
    Office office;
    office.receive(notice(1, "Sam Patel"));
    for (const std::string path : {"/inbox", "/done", "/notices/FP-1"})
        CHECK(office.send("ada", "GET", path).status == 404);
    CHECK_FALSE(has(office.get("ada", "/users/sam"), "Ava"));
    CHECK_FALSE(has(office.get("ada", "/users/sam"), "FP-1"));
    for (const std::string who : {"sam", "max", "fay"}) {
        for (const std::string path : {"/users", "/users/add", "/users/lee"})
            CHECK(office.send(who, "GET", path).status == 404);
        CHECK(office.post(who, "/users/lee/suspend", {}).status == 404);
    }
    CHECK(office.people->find("lee"));
}

TEST_CASE("who covers sees what is the other's own, from the first day to the last", "[social_care]") {
    Office office;
    office.receive(notice(1, "Sam Patel"));
    office.receive(notice(2, "Ann Hall"));
    REQUIRE(office.cover("sam", "sam", "lee", "2026-01-12", "2026-01-16") == 303);
    CHECK_FALSE(office.sees("lee", "FP-1"));
    office.go_to("2026-01-12T00:30:00Z");
    CHECK(office.sees("lee", "FP-1"));
    CHECK_FALSE(office.sees("lee", "FP-2"));  // the team's, not Sam's own
    CHECK(has(office.get("lee", "/inbox"), "You are covering Sam Patel until Friday."));
    CHECK(has(office.get("lee", "/inbox?show=mine"), "FP-1"));
    CHECK(office.item("FP-1")->opened_by == "Lee Jones");  // one of those it is for
    office.go_to("2026-01-16T23:30:00Z");
    CHECK(office.sees("lee", "FP-1"));
    office.go_to("2026-01-17T00:30:00Z");
    CHECK_FALSE(office.sees("lee", "FP-1"));
    CHECK_FALSE(has(office.get("lee", "/inbox"), "You are covering"));
}

TEST_CASE("cover is set by who is away, their manager or an admin, and ended likewise", "[social_care]") {
    Office office;
    const std::string from = "2026-01-11", until = "2026-01-20";
    CHECK(office.cover("lee", "sam", "lee", from, until) == 422);  // not Lee's to say
    CHECK(office.cover("max", "lee", "sam", from, until) == 422);  // not of Max's team
    CHECK(office.cover("fay", "sam", "lee", from, until) == 404);
    CHECK(office.cover("max", "sam", "lee", from, until) == 303);
    CHECK(office
              .post("lee", "/cover/end",
                    {
                        {"away", "sam"}
    })
              .status == 404);
    CHECK(office.people->find("sam")->cover);
    CHECK(office
              .post("sam", "/cover/end",
                    {
                        {"away", "sam"}
    })
              .status == 303);
    CHECK_FALSE(office.people->find("sam")->cover);
    CHECK(office.cover("ada", "lee", "sam", from, until) == 303);
    CHECK(has(office.get("ada", "/users"), "Sam Patel, until Tuesday 20 January"));
}

TEST_CASE("a cover that cannot be is refused", "[social_care]") {
    Office office;
    const auto [by, from, until, words] = GENERATE(table<const char*, const char*, const char*, const char*>({
        {"sam", "2026-01-11", "2026-01-20", "Somebody else has to cover"        },
        {"fay", "2026-01-11", "2026-01-20", "Choose who covers"                 },
        {"",    "2026-01-11", "2026-01-20", "Choose who covers"                 },
        {"lee", "2026-01-11", "",           "Enter the first and the last day"  },
        {"lee", "2026-02-30", "2026-03-20", "Enter the first and the last day"  },
        {"lee", "2026-01-20", "2026-01-19", "The last day must not be before"   },
        {"lee", "2026-01-01", "2026-01-10", "The last day must not be over"     },
        {"lee", "2026-01-11", "2027-06-01", "The last day must be within a year"}
    }));
    CAPTURE(by, from, until);
    const auto response = office.post("sam", "/cover/set",
                                      {
                                          {"away",  "sam"},
                                          {"by",    by   },
                                          {"from",  from },
                                          {"until", until}
    });
    CHECK(response.status == 422);
    CHECK(has(response.body, words));
    CHECK_FALSE(office.people->find("sam")->cover);
}
