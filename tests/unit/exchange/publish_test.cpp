#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using schemas::Kind;

namespace {

/// One publish, with everything right; each row of the table below spoils one thing.
struct Draft {
    std::string agency = "police/31";
    Kind kind = Kind::incident;
    std::string topic = "incidents/31";
    Bytes payload = wire::pack<schemas::Incident>(incident("NP-1"));
    std::chrono::microseconds created{};  // against now
    std::chrono::microseconds made{};     // time in the id
    bool is_uuid7 = true;
    std::optional<Earlier> earlier;
    bool truncated = false;
    std::string purpose = "safeguarding", basis = "CA2004-s10";
};

Published command(World& world, const Draft& draft) {
    const auto now = world.now;
    world.now += draft.made;
    auto id = world.next_id();
    world.now = now;
    if (!draft.is_uuid7) id[6] = 0x40;
    wire::Draft message{draft.kind, draft.topic, "", draft.purpose, {draft.basis}, {}, draft.payload};
    auto envelope = wire::make_envelope(message, id, id, now + draft.created);
    if (draft.truncated) envelope.resize(envelope.size() - 16);
    auto published = world.publish(draft.agency, std::move(envelope));
    published.earlier = draft.earlier;
    return published;
}

Draft with(void (*spoil)(Draft&)) {
    Draft draft;
    spoil(draft);
    return draft;
}
Draft with_incident(void (*spoil)(schemas::IncidentValue&)) {
    auto value = abuse_with(child_a, "NP-1");
    spoil(value);
    Draft draft;
    draft.payload = wire::pack<schemas::Incident>(value);
    return draft;
}

}  // namespace

TEST_CASE("one thing wrong with a publish refuses it, by name, and the refusal is a leaf", "[exchange]") {
    using namespace std::chrono_literals;
    struct Row {
        const char* why;
        Draft draft;
        Reason reason;
        const char* where;
    };
    const auto row = GENERATE(values<Row>({
        {"nothing wrong",                     {},                                                                                Reason::none,          ""                                     },
        {"bytes missing",                     with([](Draft& d) { d.truncated = true; }),                                        Reason::malformed,     "envelope"                             },
        {"no UUIDv7",                         with([](Draft& d) { d.is_uuid7 = false; }),                                        Reason::invalid_value,
         "envelope.id: not a UUIDv7"                                                                                                                                                           },
        {"written in the future",             with([](Draft& d) { d.created = 5min + 1s; }),                                     Reason::clock_ahead,
         "envelope.created_us"                                                                                                                                                                 },
        {"a clock a little fast",             with([](Draft& d) { d.created = 5min; }),                                          Reason::none,          ""                                     },
        {"an id of the future",               with([](Draft& d) { d.made = 6min; }),                                             Reason::clock_ahead,   "envelope.id"                          },
        {"from an outbox that waited a year", with([](Draft& d) { d.made = d.created = -24h * 399; }),
         Reason::none,                                                                                                                                  ""                                     },
        {"older than what dedup remembers",   with([](Draft& d) { d.made = -24h * 401; }),                                       Reason::too_old,
         "envelope.id"                                                                                                                                                                         },
        {"same id, other bytes",              with([](Draft& d) {
             d.earlier = Earlier{7, false};
         }),
         Reason::conflict,                                                                                                                              "envelope.id"                          },
        {"a purpose in words",                with([](Draft& d) { d.purpose = "to see Amelia Ravenscroft"; }),
         Reason::invalid_value,                                                                                                                         "envelope.purpose: a code, no words"   },
        {"a basis in words",                  with([](Draft& d) { d.basis = "Ravenscroft"; }),                                   Reason::invalid_value,
         "envelope.legal_basis: codes, no words"                                                                                                                                               },
        {"another force's topic",             with([](Draft& d) { d.topic = "incidents/32"; }),                                  Reason::not_permitted,
         "agreement: incidents/<force> is for police/<force>"                                                                                                                                  },
        {"no party",                          with([](Draft& d) { d.agency = "police/99"; }),                                    Reason::not_permitted,
         "agreement: no party"                                                                                                                                                                 },
        {"no such topic",                     with([](Draft& d) { d.topic = "gossip/31"; }),                                     Reason::unknown_topic,
         "agreement: nothing is published there"                                                                                                                                               },
        {"the recipients' topic",             with([](Draft& d) { d.topic = "notices/school/900001"; }),
         Reason::unknown_topic,                                                                                                                         "agreement: nothing is published there"},
        {"a receipt among incidents",         with([](Draft& d) { d.kind = Kind::receipt; }),                                    Reason::invalid_value,
         "envelope.kind: not on this topic"                                                                                                                                                    },
        {"a notice of one's own making",      with([](Draft& d) { d.kind = Kind::school_notice; }),
         Reason::invalid_value,                                                                                                                         "envelope.kind: not on this topic"     },
        {"opaque among incidents",            with([](Draft& d) { d.kind = Kind::opaque; }),                                     Reason::invalid_value,
         "envelope.kind: not on this topic"                                                                                                                                                    },
        {"an incident among flags",           with([](Draft& d) {
             d.agency = "social-care/E10000024";
             d.topic = "flags/E10000024";
         }),
         Reason::invalid_value,                                                                                                                         "envelope.kind: not on this topic"     },
        {"no table",                          with([](Draft& d) { d.payload = Bytes(40, 0xff); }),                               Reason::malformed,
         "envelope.payload"                                                                                                                                                                    },
        {"nothing",                           with([](Draft& d) { d.payload.clear(); }),                                         Reason::malformed,     "envelope.payload"                     },
        {"another force",                     with_incident([](auto& i) { i.force = "32"; }),                                    Reason::invalid_value,
         "incident.force"                                                                                                                                                                      },
        {"no reference",                      with_incident([](auto& i) { i.reference = ""; }),                                  Reason::invalid_value,
         "incident.reference"                                                                                                                                                                  },
        {"a long reference",                  with_incident([](auto& i) { i.reference = std::string(65, 'x'); }),
         Reason::invalid_value,                                                                                                                         "incident.reference"                   },
        {"a control character",               with_incident([](auto& i) { i.reference = "NP\x01"; }),                            Reason::invalid_value,
         "incident.reference"                                                                                                                                                                  },
        {"version 0",                         with_incident([](auto& i) { i.version = 0; }),                                     Reason::invalid_value,
         "incident.version"                                                                                                                                                                    },
        {"an unknown status",                 with_incident([](auto& i) { i.status = schemas::IncidentStatus(9); }),
         Reason::invalid_value,                                                                                                                         "incident.status"                      },
        {"an unknown role",                   with_incident([](auto& i) { i.people[0]->role = schemas::Role(9); }),
         Reason::invalid_value,                                                                                                                         "incident.people.role"                 },
        {"a relation to nobody",              with_incident([](auto& i) { i.people[1]->relationships[0]->to = 2; }),
         Reason::invalid_value,                                                                                                                         "incident.people.relationships.to"     },
        {"no date",                           with_incident([](auto& i) { i.people[0]->person->date_of_birth = "22/09/1988"; }),
         Reason::invalid_value,                                                                                                                         "incident.people.date_of_birth"        },
        {"no such day",                       with_incident([](auto& i) { i.people[0]->person->date_of_birth = "1988-02-30"; }),
         Reason::invalid_value,                                                                                                                         "incident.people.date_of_birth"        },
        {"a year only",                       with_incident([](auto& i) { i.people[0]->person->date_of_birth = "1988-00-00"; }),
         Reason::none,                                                                                                                                  ""                                     },
        {"a birthday only",                   with_incident([](auto& i) { i.people[0]->person->date_of_birth = "0000-02-29"; }),
         Reason::none,                                                                                                                                  ""                                     },
        {"no UTF-8",                          with_incident([](auto& i) { i.circumstances = "caf\xe9"; }),                       Reason::invalid_value,
         "incident.circumstances"                                                                                                                                                              },
        {"overlong UTF-8",                    with_incident([](auto& i) { i.circumstances = "\xc0\xaf"; }),
         Reason::invalid_value,                                                                                                                         "incident.circumstances"               },
        {"half a character",                  with_incident([](auto& i) { i.circumstances = "\xe2\x82"; }),
         Reason::invalid_value,                                                                                                                         "incident.circumstances"               },
        {"a surrogate",                       with_incident([](auto& i) { i.circumstances = "\xed\xa0\x80"; }),
         Reason::invalid_value,                                                                                                                         "incident.circumstances"               },
        {"any script",
         with_incident([](auto& i) { i.circumstances = "Łódź, 名古屋, 👩‍👧\r\n\t"; }),
         Reason::none,                                                                                                                                  ""                                     },
        {"a novel",
         with_incident([](auto& i) { i.circumstances = std::string(limits::text_size_max + 1, 'a'); }),
         Reason::invalid_value,                                                                                                                         "incident.circumstances"               },
        {"a crowd",                           with_incident([](auto& i) {
             while (i.people.size() <= limits::people_max) involve(i, stranger, schemas::Role::witness);
         }),
         Reason::invalid_value,                                                                                                                         "incident.people"                      },
    }));
    CAPTURE(row.why);
    World world;
    const auto reply = world.give(command(world, row.draft));
    if (row.reason == Reason::none) {
        CHECK(confirmed(reply));
        CHECK(world.last.records.front().leaf.kind == log::LeafKind::published);
    } else {
        CHECK(refusal(reply) == Refusal{row.reason, row.where});
        REQUIRE(world.last.records.size() == 1);
        const auto& leaf = world.last.records[0].leaf;
        CHECK(leaf.kind == log::LeafKind::refused);
        CHECK(leaf.outcome == name(row.reason));
        CHECK(leaf.rule == row.where);
        CHECK(leaf.actor == "spiffe://county.example/" + row.draft.agency);
        CHECK(world.last.records[0].body.empty());
        CHECK(world.last.deliveries.empty());
    }
    check_recovery(world);
}

TEST_CASE("the same message again is answered with its first place and changes nothing", "[exchange]") {
    World world;
    world.send(incident("NP-1"));
    const auto before = world.exchange.state_digest();
    auto again = std::get<Published>(world.commands.back().first);
    again.earlier = Earlier{0, true};
    const auto reply = world.give(again);
    REQUIRE(std::holds_alternative<Confirmed>(reply));
    CHECK(std::get<Confirmed>(reply).index == 0);
    CHECK(std::get<Confirmed>(reply).already);
    CHECK(world.last.records.empty());
    CHECK(world.exchange.state_digest() == before);
}

TEST_CASE("a confirm names the record of the message, with who, what and why", "[exchange]") {
    World world;
    world.give(Started{texts(0, 1)});
    const auto reply = world.send(incident_with(child_a, "NP-1"));
    REQUIRE(confirmed(reply));
    const auto& record = world.last.records.front();
    CHECK(std::get<Confirmed>(reply).index == record.leaf.index);
    CHECK(record.leaf.actor == "spiffe://county.example/police/31");
    CHECK(record.leaf.topic == "incidents/31");
    CHECK(record.leaf.purpose == "safeguarding");
    CHECK(record.leaf.legal_basis == std::vector<std::string>{"CA2004-s10"});
    CHECK(record.leaf.operation == log::Operation::collection);
    CHECK(record.controller == "police/31");
    CHECK(record.retention == "incident");
    const auto& published = std::get<Published>(world.commands.back().first);
    CHECK(envelope_in(record.body) == published.envelope);
    const auto* body = schemas::GetRecordBody(record.body.data());
    CHECK(copy(bytes_of(body->origin())) == published.origin);
}

TEST_CASE("an opaque message is one record, and stands in its own mailbox", "[exchange]") {
    World world;
    for (std::uint64_t number = 1; number <= 3; ++number) {
        const auto reply = world.send("bench/1", Kind::opaque, "bench/1", Bytes(1024, 7));
        REQUIRE(confirmed(reply));
        REQUIRE(world.last.records.size() == 1);
        REQUIRE(world.last.deliveries.size() == 1);
        const auto& delivery = world.last.deliveries[0];
        CHECK(delivery.topic == "bench/1");
        CHECK(delivery.number == number);
        CHECK(delivery.index == std::get<Confirmed>(reply).index);
        CHECK(delivery.envelope == std::get<Published>(world.commands.back().first).envelope);
        CHECK(world.exchange.high_water("bench/1") == number);
        CHECK(world.exchange.pending("bench/1", number));
    }
    CHECK(reason(world.send("bench/2", Kind::opaque, "bench/1", {})) == Reason::not_permitted);
    check_recovery(world);
}

TEST_CASE("a start writes down what is in force, once", "[exchange]") {
    using log::LeafKind;
    World world;
    world.give(Started{texts(1, 3)});
    CHECK(world.kinds() == std::vector{LeafKind::recovered, LeafKind::agreement_set, LeafKind::parties_set,
                                       LeafKind::crl_set});
    CHECK(world.last.records[1].leaf.agreement == test_setting().agreement.digest());
    CHECK(world.last.records[2].leaf.setting == crypto::sha256(view(texts(1, 3).parties)));
    CHECK(world.last.records[3].leaf.setting == crypto::sha256(view(texts(1, 3).crl)));
    CHECK(world.last.records[3].leaf.number == 3);
    for (std::size_t i = 1; i < 4; ++i) {
        const auto& leaf = world.last.records[i].leaf;
        const auto* kept = read_body(world.last.records[i].body).setting();
        CHECK(crypto::sha256(view(kept->text()->str())) ==
              leaf.setting.value_or(leaf.agreement.value_or(Digest{})));
        CHECK(kept->number() == leaf.number);
    }
    world.give(Started{texts(1, 3)});
    CHECK(world.kinds() == std::vector{LeafKind::recovered});
    world.give(Started{texts(2, 4)});
    CHECK(world.kinds() == std::vector{LeafKind::recovered, LeafKind::parties_set, LeafKind::crl_set});
    world.give(Reloaded{texts(2, 4)});
    CHECK(world.kinds().empty());
    world.give(Reloaded{texts(2, 5)});
    CHECK(world.kinds() == std::vector{LeafKind::crl_set});
    world.give(Started{texts(2, 5, "seven")});
    CHECK(world.kinds() == std::vector{LeafKind::recovered, LeafKind::keys_set});
    CHECK(world.last.records[1].leaf.setting == crypto::sha256(view("seven")));
    // A list given out anew under its old number is another one.
    auto same_number = texts(2, 5, "seven");
    same_number.crl += "# and one more\n";
    world.give(Reloaded{same_number});
    CHECK(world.kinds() == std::vector{LeafKind::crl_set});
    world.give(Reloaded{texts(2, 5, "seven")});
    CHECK(world.kinds() == std::vector{LeafKind::crl_set});
    world.give(Reloaded{texts(2, 5, "seven")});
    CHECK(world.kinds().empty());
    world.give(Reloaded{texts(2, 5, "eight")});
    CHECK(world.kinds() == std::vector{LeafKind::keys_set});
    check_recovery(world);
}

TEST_CASE("a step of the clock is a leaf that says how far and which way", "[exchange]") {
    World world;
    world.give(ClockStepped{std::chrono::seconds{-3}});
    REQUIRE(world.kinds() == std::vector{log::LeafKind::clock_step});
    CHECK(world.last.records[0].leaf.number == 3'000'000);
    CHECK(world.last.records[0].leaf.outcome == "back");
    world.give(ClockStepped{std::chrono::minutes{4}});
    CHECK(world.last.records[0].leaf.outcome == "forward");
    world.give(ClockStepped{std::chrono::hours{1}});
    CHECK(world.last.records[0].leaf.outcome == "forward: held");
    check_recovery(world);
}

TEST_CASE("a session leaves who came, with which certificate, and why it went", "[exchange]") {
    World world;
    CHECK(std::holds_alternative<Permitted>(world.give(SessionOpened{actor("school/900001"), Digest{9}})));
    REQUIRE(world.last.records.size() == 1);
    CHECK(world.last.records[0].leaf.certificate == Digest{9});
    CHECK(world.last.records[0].leaf.session == actor("school/900001").session);
    world.give(SessionClosed{actor("school/900001"), Reason::idle});
    CHECK(world.last.records[0].leaf.outcome == "idle");
    world.give(Turned{
        actor("school/900001"),
        {Reason::bad_signature, "publish.origin"},
        "receipts/school/900001",
        Id16{3                    }
    });
    CHECK(world.last.records[0].leaf.kind == log::LeafKind::refused);
    CHECK(world.last.records[0].leaf.message == Id16{3});
    check_recovery(world);
}

TEST_CASE("a subscription is for all of its topics or for none, and each refused one is a leaf",
          "[exchange]") {
    World world;
    CHECK(std::holds_alternative<Permitted>(world.give(Subscribe{
        actor("trust/north"), {"notices/school/900002", "notices/school/900003"}
    })));
    CHECK(world.last.records.empty());
    const auto reply = world.give(Subscribe{
        actor("school/900001"), {"notices/school/900001", "notices/school/900002", "reviews/E10000024"}
    });
    CHECK(reason(reply) == Reason::not_permitted);
    REQUIRE(world.last.records.size() == 2);
    CHECK(world.last.records[0].leaf.topic == "notices/school/900002");
    CHECK(world.last.records[1].leaf.topic == "reviews/E10000024");
    world.give(Subscribe{actor("school/900001"), std::vector<std::string>(2000, "notices/school/900002")});
    CHECK(world.last.records.size() == limits::refusals_logged_max);
}

TEST_CASE("questions about others' records are for auditors, and are written down", "[exchange]") {
    const auto [who, what, reason_wanted, leaves] =
        GENERATE(table<const char*, const char*, Reason, std::size_t>({
            {"school/900001",  "checkpoint",  Reason::none,          0},
            {"school/900001",  "tile",        Reason::none,          0},
            {"school/900001",  "status",      Reason::none,          0},
            {"school/900001",  "obligations", Reason::not_permitted, 1},
            {"school/900001",  "entries",     Reason::not_permitted, 1},
            {"school/900001",  "bodies",      Reason::not_permitted, 1},
            {"operator/duty",  "keys",        Reason::not_permitted, 1},
            {"police/31",      "keys",        Reason::not_permitted, 1},
            {"police/31",      "reading",     Reason::not_permitted, 1},
            {"operator/duty",  "obligations", Reason::none,          1},
            {"operator/duty",  "bodies",      Reason::not_permitted, 1},
            {"auditor/office", "obligations", Reason::none,          1},
            {"auditor/office", "entries",     Reason::none,          1},
            {"auditor/office", "bodies",      Reason::none,          1},
            {"auditor/other",  "bodies",      Reason::not_permitted, 1},
            {"auditor/office", "everything",  Reason::invalid_value, 1},
    }));
    CAPTURE(who, what);
    World world;
    CHECK(reason(world.give(Consult{actor(who), what})) == reason_wanted);
    REQUIRE(world.last.records.size() == leaves);
    if (leaves == 1 && reason_wanted == Reason::none) {
        CHECK(world.last.records[0].leaf.kind == log::LeafKind::consulted);
        CHECK(world.last.records[0].leaf.operation == log::Operation::consultation);
        CHECK(world.last.records[0].leaf.outcome == what);
    }
}
