#include "broker/agreement/agreement.h"

#include <fstream>
#include <sstream>

#include "broker/agreement/fields.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "tests/support/catch.h"

using namespace flagpost;
using agreement::Agreement;

namespace {

// The README's own example, so that the page cannot rot.
std::string example() {
    std::ifstream file{TEST_SOURCE_DIR "/broker/agreement/README.md"};
    std::stringstream page;
    page << file.rdbuf();
    const std::string text = page.str();
    const auto from = text.find("```toml\n") + 8;
    return text.substr(from, text.find("```", from) - from);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

AgencyId agency(std::string_view text) { return AgencyId::parse(text).value(); }

Agreement county() {
    return Agreement::parse(example() + R"(
[[party]]
agency = "school/900002"
name = "Bramble Langley Primary School"
[[party]]
agency = "social-care/E06000018"
name = "Nottingham"
acts_for = ["social-care/E10000024"]
review_desk = "social-care/E10000024"
[[party]]
agency = "bench/1"
name = "Measurement"
)")
        .value();
}

}  // namespace

TEST_CASE("the README's example is an agreement, and says what it says", "[agreement]") {
    const auto text = example();
    const auto read = Agreement::parse(text);
    REQUIRE(read);
    CHECK(read->digest() == crypto::sha256(view(text)));
    CHECK(read->partnership() == "nottinghamshire.example");
    CHECK(read->parties().size() == 7);
    CHECK(read->party(agency("police/31"))->name == "Nottinghamshire Police");
    CHECK(read->party(agency("police/32")) == nullptr);

    const auto* rule = read->rule_for("school_notice", "police", "school");
    REQUIRE(rule != nullptr);
    CHECK(rule->id == "SCH-1");
    CHECK(rule->purpose == "safeguarding");
    CHECK(rule->legal_basis == std::vector<std::string>{"CA2004-s10", "DAA2021-s49A", "DPA2018-Sch8-4"});
    CHECK(rule->respond_within == std::chrono::hours{16});
    CHECK(rule->retention == "notice");
    CHECK(rule->fields == std::set<std::string>{"child_given_names", "child_family_name",
                                                "child_date_of_birth", "force", "incident_reference",
                                                "incident_version", "occurred_us", "child_present",
                                                "voice_of_child"});
    CHECK(read->retention_for("notice", "social-care/E10000024")->id == "RET-1");
    CHECK(read->retention_for("notice", "school/900001")->keep == std::chrono::days{90});
    CHECK(read->retention_for("report", "police/31") == nullptr);
    CHECK(read->shortest_retention() == std::chrono::days{30});
    CHECK(read->rule_for("school_notice", "school", "police") == nullptr);
    CHECK(read->rule_for("school_notice", "police", "social-care") == nullptr);
}

TEST_CASE("one spoilt line of an agreement is refused with its number", "[agreement]") {
    const auto [why, good, bad,
                refusal] = GENERATE(table<const char*, const char*, const char*, const char*>({
        {"no TOML",                         "name = \"Audit office\"",                                              "name = Audit office",         ":31: "                                                    },
        {"not a trust domain",              "\"nottinghamshire.example\"",                                          "\"Nottinghamshire\"",
         ":1: agreement: partnership is no trust domain"                                                                                                                                                      },
        {"no partnership",                  "partnership = \"nottinghamshire.example\"",                            "",
         "agreement: partnership is missing"                                                                                                                                                                  },
        {"a key nobody knows",              "name = \"Audit office\"",                                              "name = \"A\"\nnick = \"b\"",
         ":32: party: nick is unknown"                                                                                                                                                                        },
        {"a section nobody knows",          "[[share]]\nid = \"SC-1\"",                                             "[[shares]]\nid = \"SC-1\"",
         ": shares is unknown"                                                                                                                                                                                },
        {"a party twice",                   "auditor/audit-office",                                                 "operator/duty",
         ":29: party: operator/duty is there twice"                                                                                                                                                           },
        {"no agency",                       "auditor/audit-office",                                                 "audit-office",                ":30: party: agency is no agency"                          },
        {"an unknown kind",                 "auditor/audit-office",                                                 "army/1",                      ":30: party: agency is no agency"                          },
        {"acting for nobody real",          "\"school/900003\"",                                                    "\"900003\"",
         ":23: party: acts_for names what is no agency"                                                                                                                                                       },
        {"acting for one twice",            "\"school/900003\"",                                                    "\"school/900002\"",
         "acts_for names school/900002 twice"                                                                                                                                                                 },
        {"acting for itself",               "\"school/900003\"",                                                    "\"trust/north\"",
         ":23: party: acts_for names the party itself"                                                                                                                                                        },
        {"a desk that is no party",         "review_desk = \"social-care/E10000024\"",
         "review_desk = \"social-care/E06000018\"",                                                                                                ":10: party: review_desk social-care/E06000018 is no party"},
        {"a desk of a school",              "name = \"St Hugh's Primary School\"",
         "name = \"St\"\nreview_desk = \"school/900001\"",                                                                                         ":19: party: review_desk is for social-care parties only"  },
        {"a rule id twice",                 "\"REV-1\"",                                                            "\"SC-1\"",                    ":55: rule SC-1 is there twice"                            },
        {"two rules for one thing",         "to = \"school\"",                                                      "to = \"social-care\"",        ""                                                         },
        {"an unknown message",              "\"review_item\"",                                                      "\"gossip\"",
         ":57: rule REV-1: what is no kind of message that is shared"                                                                                                                                         },
        {"a kind that is none",             "to = \"school\"",                                                      "to = \"schools\"",
         ":48: rule SCH-1: to is no kind of agency"                                                                                                                                                           },
        {"an unknown field",                "\"voice_of_child\"",                                                   "\"home_address\"",
         ":51: rule SCH-1: fields names an unknown field: home_address"                                                                                                                                       },
        {"a social-care field at a school", "\"voice_of_child\"",                                                   "\"assessment\"",
         "fields names an unknown field: assessment"                                                                                                                                                          },
        {"a field twice",                   "\"subject\", \"why\"",                                                 "\"why\", \"why\"",            "fields names why twice"                                   },
        {"no legal basis",                  "legal_basis = [\"CA2004-s10\", \"DAA2021-s49A\", \"DPA2018-Sch8-4\"]",
         "legal_basis = []",                                                                                                                       ":50: rule SCH-1: legal_basis is empty"                    },
        {"a text for a list",               "[\"incident\", \"subject\", \"why\", \"compared\", \"weights\"]",      "\"why\"",
         "rule REV-1: fields is not a list"                                                                                                                                                                   },
        {"a number for a text",             "purpose = \"safeguarding\"",                                           "purpose = 3",
         "rule SC-1: purpose is not a text"                                                                                                                                                                   },
        {"an empty text",                   "purpose = \"safeguarding\"",                                           "purpose = \"\"",              "rule SC-1: purpose is empty"                              },
        {"a rule without time",             "respond_within = \"16h\"\n",                                           "",                            "rule SCH-1: respond_within is missing"                    },
        {"no duration",                     "\"16h\"",                                                              "\"16\"",                      "rule SCH-1: respond_within is no duration"                },
        {"a retention row twice",           "\"RET-6\"",                                                            "\"RET-5\"",                   "retention RET-5 is there twice"                           },
        {"two rows for one class",          "class = \"roll\"",                                                     "class = \"flag\"",
         "retention RET-5: RET-4 already says how long this is kept"                                                                                                                                          },
        {"a class nobody uses",             "class = \"roll\"",                                                     "class = \"rolls\"",
         "retention RET-5: class is none that records are kept under: rolls"                                                                                                                                  },
        {"settings, which hold no data",    "class = \"roll\"",                                                     "class = \"setting\"",
         "class is none that records are kept under"                                                                                                                                                          },
        {"a controller who is nobody",      "controller = \"school\"",                                              "controller = \"schools\"",
         "retention RET-2: controller is neither an agency nor a kind of agency"                                                                                                                              },
        {"kept for no time",                "keep = \"90d\"",                                                       "keep = \"0d\"",               "retention RET-2: keep is no duration"                     },
        {"kept for an unknown time",        "keep = \"90d\"\n",                                                     "",                            "retention RET-2: keep is missing"                         },
        {"a retention key nobody knows",    "keep = \"90d\"",                                                       "keep = \"90d\"\nfor = \"x\"",
         "retention RET-2: for is unknown"                                                                                                                                                                    },
        {"a duration of nothing",           "\"16h\"",                                                              "\"0h\"",                      "rule SCH-1: respond_within is no duration"                },
        {"a duration backwards",            "\"16h\"",                                                              "\"-1h\"",                     "rule SCH-1: respond_within is no duration"                },
    }));
    CAPTURE(why);
    auto text = replaced(example(), good, bad);
    if (std::string_view{why} == "two rules for one thing") {
        text = replaced(text, "\"school_notice\"", "\"social_care_notice\"");
        text = replaced(text, "fields = [\"child\", \"incident\", \"child_present\", \"voice_of_child\"]",
                        "fields = [\"child\"]");
    }
    const auto read = Agreement::parse(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().reason == Reason::invalid_value);
    CHECK(read.error().where.starts_with("agreement.toml:"));
    CAPTURE(read.error().where);
    CHECK(read.error().where.find(refusal) != std::string::npos);
}

TEST_CASE("an agreement larger than the limit is not even parsed", "[agreement]") {
    const auto read = Agreement::parse(std::string(limits::agreement_size_max + 1, ' '));
    REQUIRE_FALSE(read);
    CHECK(read.error().reason == Reason::too_large);
}

TEST_CASE("an agency publishes on its own topics and on nobody else's", "[agreement]") {
    const auto [why, who, topic, reason] = GENERATE(table<const char*, const char*, const char*, Reason>({
        {"an authority its flags",              "social-care/E10000024", "flags/E10000024",                  Reason::none         },
        {"a delegate another's flags",          "social-care/E06000018", "flags/E10000024",                  Reason::none         },
        {"nobody else's",                       "social-care/E10000024", "flags/E06000018",                  Reason::not_permitted},
        {"same code, other kind",               "education/E10000024",   "flags/E10000024",                  Reason::not_permitted},
        {"a force its incidents",               "police/31",             "incidents/31",                     Reason::none         },
        {"not another force's",                 "police/31",             "incidents/32",                     Reason::not_permitted},
        {"an authority does not report crime",  "social-care/E10000024", "incidents/31",
         Reason::not_permitted                                                                                                    },
        {"education its rolls",                 "education/E10000024",   "rolls/E10000024",                  Reason::none         },
        {"education its register",              "education/E10000024",   "rolls/not-in-school/E10000024",    Reason::none         },
        {"a school has no register",            "school/900001",         "rolls/not-in-school/E10000024",    Reason::not_permitted},
        {"social care has no rolls",            "social-care/E10000024", "rolls/E10000024",                  Reason::not_permitted},
        {"a school its roll",                   "school/900001",         "rolls/school/900001",              Reason::none         },
        {"a trust its school's",                "trust/north",           "rolls/school/900002",              Reason::none         },
        {"the school itself, though acted for", "school/900002",         "rolls/school/900002",              Reason::none         },
        {"a trust no other school's",           "trust/north",           "rolls/school/900001",              Reason::not_permitted},
        {"a school no other school's",          "school/900001",         "rolls/school/900002",              Reason::not_permitted},
        {"acted for, but no party",             "school/900003",         "rolls/school/900003",              Reason::not_permitted},
        {"the operator reference data",         "operator/duty",         "reference/gias",                   Reason::none         },
        {"and calendars",                       "operator/duty",         "reference/bank-holidays",          Reason::none         },
        {"an operator who is no party",         "operator/night",        "reference/gias",                   Reason::not_permitted},
        {"a school no reference data",          "school/900001",         "reference/gias",                   Reason::not_permitted},
        {"a school its own terms",              "school/900001",         "reference/terms/school/900001",    Reason::none         },
        {"and its contacts",                    "school/900001",         "reference/contacts/school/900001", Reason::none         },
        {"the operator not for a school",       "operator/duty",         "reference/terms/school/900001",
         Reason::not_permitted                                                                                                    },
        {"unknown reference data",              "operator/duty",         "reference/weather",                Reason::unknown_topic},
        {"receipts of one's own",               "school/900001",         "receipts/school/900001",           Reason::none         },
        {"a trust's own receipts",              "trust/north",           "receipts/trust/north",             Reason::none         },
        {"not for whom it acts",                "trust/north",           "receipts/school/900002",           Reason::not_permitted},
        {"measuring under its agreement",       "bench/1",               "bench/1",                          Reason::none         },
        {"another bench",                       "bench/1",               "bench/2",                          Reason::not_permitted},
        {"a bench that is no party",            "bench/2",               "bench/2",                          Reason::not_permitted},
        {"notices are the broker's to make",    "social-care/E10000024", "notices/social-care/E10000024",
         Reason::unknown_topic                                                                                                    },
        {"so are results",                      "police/31",             "results/police/31",                Reason::unknown_topic},
        {"a stranger",                          "police/99",             "incidents/99",                     Reason::not_permitted},
        {"no code",                             "police/31",             "incidents/",                       Reason::unknown_topic},
        {"too many parts",                      "police/31",             "incidents/31/1",                   Reason::unknown_topic},
        {"nothing",                             "police/31",             "",                                 Reason::unknown_topic},
        {"a receipt for half a name",           "police/31",             "receipts/police",                  Reason::unknown_topic},
    }));
    CAPTURE(why);
    const auto permitted = county().may_publish(agency(who), topic);
    CHECK((permitted ? Reason::none : permitted.error().reason) == reason);
}

TEST_CASE("an agency reads its own mailboxes and nobody else's", "[agreement]") {
    const auto [why, who, topic, reason] = GENERATE(table<const char*, const char*, const char*, Reason>({
        {"an authority its notices",         "social-care/E10000024", "notices/social-care/E10000024", Reason::none         },
        {"a delegate another's",             "social-care/E06000018", "notices/social-care/E10000024", Reason::none         },
        {"not the other way round",          "social-care/E10000024", "notices/social-care/E06000018",
         Reason::not_permitted                                                                                              },
        {"a school its own",                 "school/900001",         "notices/school/900001",         Reason::none         },
        {"a school not another's",           "school/900001",         "notices/school/900002",         Reason::not_permitted},
        {"a trust its schools'",             "trust/north",           "notices/school/900003",         Reason::none         },
        {"a trust no other school's",        "trust/north",           "notices/school/900001",         Reason::not_permitted},
        {"an authority not its schools'",    "education/E10000024",   "notices/school/900001",
         Reason::not_permitted                                                                                              },
        {"education its own",                "education/E10000024",   "notices/education/E10000024",   Reason::none         },
        {"the review desk that is named",    "social-care/E10000024", "reviews/E06000018",             Reason::none         },
        {"not the authority that named it",  "social-care/E06000018", "reviews/E06000018",
         Reason::not_permitted                                                                                              },
        {"a desk of one's own",              "social-care/E10000024", "reviews/E10000024",             Reason::none         },
        {"acting for is not being the desk", "social-care/E06000018", "reviews/E10000024",
         Reason::not_permitted                                                                                              },
        {"a review desk of nobody",          "social-care/E10000024", "reviews/E08000001",             Reason::not_permitted},
        {"police never read notices",        "police/31",             "notices/social-care/E10000024", Reason::not_permitted},
        {"a force its markers",              "police/31",             "markers/31",                    Reason::none         },
        {"a force what it is asked",         "police/31",             "questions/31",                  Reason::none         },
        {"a force what is handed over",      "police/31",             "notices/police/31",             Reason::none         },
        {"and not another's",                "police/31",             "notices/police/30",             Reason::not_permitted},
        {"a force is asked in private",      "social-care/E10000024", "questions/31",                  Reason::not_permitted},
        {"results of one's own",             "operator/duty",         "results/operator/duty",         Reason::none         },
        {"not another's",                    "operator/duty",         "results/social-care/E10000024", Reason::not_permitted},
        {"an auditor reads no mailbox",      "auditor/audit-office",  "notices/school/900001",
         Reason::not_permitted                                                                                              },
        {"a stranger",                       "school/999999",         "notices/school/999999",         Reason::not_permitted},
        {"incidents are nobody's mailbox",   "police/31",             "incidents/31",                  Reason::unknown_topic},
        {"flags cannot be subscribed to",    "social-care/E10000024", "flags/E10000024",               Reason::unknown_topic},
        {"wildcards mean nothing",           "school/900001",         "notices/school/*",              Reason::not_permitted},
        {"prefixes mean nothing",            "school/900001",         "notices/school/",               Reason::unknown_topic},
    }));
    CAPTURE(why);
    const auto permitted = county().may_subscribe(agency(who), topic);
    CHECK((permitted ? Reason::none : permitted.error().reason) == reason);
}

TEST_CASE("a refusal of the agreement names its rule and not who asked", "[agreement]") {
    const auto refused = county().may_subscribe(agency("school/900001"), "notices/school/900002");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().where == "agreement: notices/school/<urn> is for school/<urn> or who acts for it");
}

TEST_CASE("every recipient has its mailboxes before anybody connects, those who are acted for too",
          "[agreement]") {
    const auto read = Agreement::parse(example()).value();
    CHECK(read.mailboxes() == std::set<std::string>{"markers/31",
                                                    "notices/education/E10000024",
                                                    "notices/police/31",
                                                    "notices/school/900001",
                                                    "notices/school/900002",
                                                    "notices/school/900003",
                                                    "notices/social-care/E10000024",
                                                    "questions/31",
                                                    "reports/auditor/audit-office",
                                                    "reports/education/E10000024",
                                                    "reports/operator/duty",
                                                    "reports/police/31",
                                                    "reports/school/900001",
                                                    "reports/social-care/E10000024",
                                                    "reports/trust/north",
                                                    "results/auditor/audit-office",
                                                    "results/education/E10000024",
                                                    "results/operator/duty",
                                                    "results/police/31",
                                                    "results/school/900001",
                                                    "results/social-care/E10000024",
                                                    "results/trust/north",
                                                    "reviews/E10000024"});
}

TEST_CASE("an authority lies in the area of one force at most", "[agreement]") {
    const std::string one = "[[party]]\nagency = \"police/30\"\nname = \"Derbyshire\"\nareas = [";
    const auto with = [&](const std::string& areas, const std::string& more = "") {
        const auto text = replaced(example(), "name = \"Nottinghamshire Police\"",
                                   "name = \"N\"\nareas = [\"E10000024\", \"E06000018\"]");
        return Agreement::parse(text + one + areas + "]\n" + more);
    };
    const auto read = with("\"E10000007\", \"E06000015\"");
    REQUIRE(read);
    CHECK(read->force_of("E10000024") == agency("police/31"));
    CHECK(read->force_of("E06000015") == agency("police/30"));
    CHECK_FALSE(read->force_of("E08000001"));
    CHECK_FALSE(county().force_of("E10000024"));
    const auto [why, areas, more, refusal] =
        GENERATE(table<const char*, const char*, const char*, const char*>({
            {"two forces for one area", R"("E10000024")",              "",
             "party: E10000024 is the area of police/31 already"                                                                                   },
            {"twice in one list",       R"("E10000007", "E10000007")", "",                     "party: areas names E10000007 twice"                },
            {"no GSS code",             R"("Derbyshire")",             "",                     "party: areas names what is no GSS code: Derbyshire"},
            {"areas of no force",       "",
             "[[party]]\nagency = \"school/900009\"\nname = \"S\"\nareas = [\"E10000007\"]\n", "party: areas is for police parties only"           },
    }));
    CAPTURE(why);
    const auto refused = with(areas, more);
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().where);
    CHECK(refused.error().where.find(refusal) != std::string::npos);
}

TEST_CASE("acting for somebody is not mutual and not inherited", "[agreement]") {
    const auto read = county();
    CHECK(read.acts_as(agency("trust/north"), agency("school/900002")));
    CHECK(read.acts_as(agency("school/900002"), agency("school/900002")));
    CHECK_FALSE(read.acts_as(agency("school/900002"), agency("trust/north")));
    CHECK_FALSE(read.acts_as(agency("school/900003"), agency("school/900003")));  // no party of its own
    CHECK_FALSE(read.acts_as(agency("trust/north"), agency("school/900001")));
}

TEST_CASE("a rule can name each field of a notice, and nothing that no notice has", "[agreement]") {
    const auto [what, table] = GENERATE(Catch::Generators::table<const char*, const char*>({
        {"social_care_notice", "table SocialCareNotice {"},
        {"school_notice",      "table SchoolNotice {"    },
        {"review_item",        "table ReviewItem {"      },
        {"flag_marker",        "table Marker {"          },
        {"question",           "table Question {"        },
        {"answer",             "table QuestionAnswer {"  },
    }));
    CAPTURE(what);
    std::ifstream file{TEST_SOURCE_DIR "/schemas/notice.fbs"};
    std::set<std::string> of_schema, of_rules;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("}")) inside = false;
        if (const auto colon = line.find(':');
            inside && line.find_first_not_of(' ') == 2 && colon != std::string::npos)
            of_schema.insert(line.substr(2, colon - 2));
        if (line.starts_with(table)) inside = true;
    }
    for (const auto name : agreement::names_for(what))
        for (const auto field : agreement::fields_named(what, name)) of_rules.insert(std::string{field});
    CHECK(of_rules == of_schema);
    CHECK(agreement::fields_named(what, "home_address").empty());
}

TEST_CASE("a rule's ladder is read as it stands, and one that leads nowhere is refused", "[agreement]") {
    const auto with = [](const std::string& escalate, const std::string& more = "") {
        return R"(partnership = "county.example"
[[party]]
agency = "operator/duty"
name = "Operations"
)" + more + R"([[share]]
id = "SCH-1"
what = "school_notice"
from = "police"
to = "school"
purpose = "safeguarding"
legal_basis = ["DAA2021-s49A"]
fields = ["child"]
respond_within = "16h"
retention = "notice"
escalate = )" + escalate +
               "\n";
    };
    const auto good = Agreement::parse(with(
        R"([{to = "again", after = "30m", unless = "stored"}, {to = "sender", before_deadline = "1h"}])"));
    REQUIRE(good);
    const auto& ladder = good->rule_for("school_notice", "police", "school")->escalate;
    REQUIRE(ladder.size() == 2);
    CHECK(ladder[0].to == "again");
    CHECK(ladder[0].after == std::chrono::minutes{30});
    CHECK(ladder[0].unless == agreement::Reached::stored);
    CHECK(ladder[1].before_deadline == std::chrono::minutes{60});
    CHECK(ladder[1].unless == agreement::Reached::answered);
    CHECK(good->dead_letter_owner() == "operator/duty");

    const auto [why, escalate, says] = GENERATE(table<const char*, const char*, const char*>({
        {"no list",                   "\"again\"",                                                 "is not a list of tables"        },
        {"nobody",                    R"([{to = "nobody", after = "1h"}])",                        "is none of again"               },
        {"no time",                   R"([{to = "again"}])",                                       "either after or before_deadline"},
        {"two times",                 R"([{to = "again", after = "1h", before_deadline = "1h"}])",
         "either after or before_deadline"                                                                                          },
        {"no duration",               R"([{to = "again", after = "soon"}])",                       "is no duration"                 },
        {"until it is answered",      R"([{to = "again", after = "1h", unless = "recorded"}])",
         "neither stored nor opened"                                                                                                },
        {"a word nobody knows",       R"([{to = "again", after = "1h", how = "loudly"}])",         "how is unknown"                 },
        {"to whom nothing is shared", R"([{to = "education", after = "1h"}])",
         "no rule shares a school_notice"                                                                                           },
    }));
    CAPTURE(why);
    const auto bad = Agreement::parse(with(escalate));
    REQUIRE_FALSE(bad);
    CHECK_THAT(bad.error().where, Catch::Contains(says) && Catch::Contains("agreement.toml:1"));
    CHECK_FALSE(Agreement::parse(with("[]", "dead_letters = \"operator/other\"\n")));
}

TEST_CASE("a question needs police to ask and a way for the answer back", "[agreement]") {
    const auto text = example();
    const auto where = [](const std::string& agreement) {
        const auto read = Agreement::parse(agreement);
        return read ? std::string{} : read.error().where;
    };
    CHECK(Agreement::parse(text)->rule_for("question", "social-care", "police")->respond_within ==
          std::chrono::hours{24});
    const auto from = text.find("[[share]]\nid = \"ASK-2\"");
    const auto to = text.find("[[retention]]", from);
    CHECK(where(text.substr(0, from) + text.substr(to))
              .ends_with("rule ASK-1: no rule shares the answer with social-care"));
    CHECK(where(replaced(text,
                         "from = \"social-care\"\nto = \"police\"\npurpose = \"safeguarding\"\nlegal_basis = "
                         "[\"CA2004-s10\", \"DPA2018-Sch8-4\"]\nfields = [\"text\", \"by\"]",
                         "from = \"police\"\nto = \"social-care\"\npurpose = \"safeguarding\"\nlegal_basis = "
                         "[\"CA2004-s10\"]\nfields = [\"text\", \"by\"]"))
              .ends_with("rule ASK-1: questions are for police"));
    CHECK(where(replaced(text, "{to = \"again\", after = \"4h\", unless = \"opened\"}",
                         "{to = \"education\", after = \"4h\"}"))
              .ends_with("rule ASK-1: a question goes to nobody else than it is for"));
}
