#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;
using log::LeafKind;
using schemas::Level;
using schemas::OrderDoes;

namespace {

const std::string force = "police/31", care = "social-care/E10000024", duty = "operator/duty";
const std::string flag_1 = "flag/E10000024/1", incident_1 = "incident/31/NP-1";
constexpr const char* care_box = "notices/social-care/E10000024";

void load_flag(World& world, std::uint64_t sequence, const char* id = "1", const Who& child = child_a) {
    Load flags;
    flags.sequence = sequence;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child, id, home_a))};
    world.load(flags);
}

/// A flagged child, an incident about it, and the notice that social care is owed.
std::unique_ptr<World> county(std::vector<Id16>* notices = nullptr) {
    auto world = std::make_unique<World>();
    load_flag(*world, 1);
    world->send(incident_with(child_a, "NP-1"));
    const auto told = world->delivered<schemas::SocialCareNotice>(care_box);
    REQUIRE(told.size() == 1);
    if (notices != nullptr) notices->push_back(id16(told[0].notice));
    return world;
}

void settle(World& world) {
    world.answer_all();
    for (const auto& topic : {std::string{care_box}, "reports/" + force, "results/" + care})
        while (const auto next = world.exchange.next_pending(topic, 0))
            world.acknowledge(topic.starts_with("reports/") ? force : care, topic, {next->first});
}

std::vector<std::uint64_t> of_class(const World& world, const std::string& retention) {
    std::vector<std::uint64_t> found;
    for (const auto& kept : world.shelf.all())
        if (kept.retention == retention) found.push_back(kept.index);
    return found;
}

const log::Record& only(const World& world, LeafKind kind) {
    const log::Record* found = nullptr;
    for (const auto& record : world.last.records) {
        if (record.leaf.kind != kind) continue;
        REQUIRE(found == nullptr);
        found = &record;
    }
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("a body goes when its time is over, with a leaf that names the row and holds nothing",
          "[retention]") {
    auto world = county();
    settle(*world);
    const auto notices = of_class(*world, "notice");
    REQUIRE(notices.size() == 1);
    const auto issued = world->records[notices[0]].leaf.time;

    world->now = issued + 24h * 30 - 1us;
    world->expire();
    CHECK(world->shelf.holds(notices[0]));
    world->now = issued + 24h * 30;
    world->expire();
    CHECK_FALSE(world->shelf.holds(notices[0]));
    for (const auto& record : world->last.records) {
        CHECK(record.leaf.kind == LeafKind::erased);
        CHECK(record.leaf.operation == log::Operation::erasure);
        CHECK(record.leaf.outcome == "retention");
        CHECK(record.leaf.agreement.has_value());
        CHECK(record.body.empty());
        CHECK(record.subjects.empty());
        CHECK(record.leaf.candidates == record.erases.size());
    }
    const auto& erased =
        *std::ranges::find(world->last.records, "RET-N", [](const auto& record) { return record.leaf.rule; });
    CHECK(erased.erases == notices);
    world->expire();
    CHECK(world->last.records.empty());
    check_recovery(*world);
}

TEST_CASE("a class without a row is kept, and an agency's own row comes before its kind's", "[retention]") {
    World world;
    world.send(incident("NP-1"));
    world.send(incident("NP-1", 2), "31");
    const auto other = [&] {
        auto value = incident("NP-9");
        value.force = "32";
        return value;
    }();
    world.send(other, "32");
    const auto& agreement = test_setting().agreement;
    CHECK(agreement.retention_for("notice", "school/900001")->id == "RET-NS");
    CHECK(agreement.retention_for("notice", care)->id == "RET-N");
    CHECK(agreement.retention_for("incident", force)->id == "RET-I");
    CHECK(agreement.retention_for("incident", "police/32") == nullptr);
    CHECK(world.exchange.expires_before(world.now) == world.now - 2h);
}

TEST_CASE("what state rests on outlives its time, and goes when it is needed no more", "[retention]") {
    std::vector<Id16> notices;
    auto world = county(&notices);
    const auto notice = of_class(*world, "notice").at(0);
    const auto flag = of_class(*world, "flag").at(0);
    world->tick(24h * 400);  // long after all of it, the obligation still open, the flag still standing
    world->expire();
    CHECK(world->shelf.holds(notice));
    CHECK(world->shelf.holds(flag));
    settle(*world);
    world->expire();
    CHECK_FALSE(world->shelf.holds(notice));
    CHECK(world->shelf.holds(flag));
    load_flag(*world, 2, "2", child_b);  // a full list without it
    world->expire();
    CHECK_FALSE(world->shelf.holds(flag));
    check_recovery(*world);
}

TEST_CASE("nothing expires while the clock may be wrong", "[retention]") {
    auto world = county();
    settle(*world);
    const auto notice = of_class(*world, "notice").at(0);
    world->now += 24h * 400;
    world->give(Expire{world->shelf.all(), true});
    CHECK(world->shelf.holds(notice));
    world->give(ClockStepped{24h * 400});
    CHECK_FALSE(world->exchange.expires_before(world->now));
    world->expire();
    CHECK(world->shelf.holds(notice));
    world->give(ClockSynchronised{});
    world->expire();
    CHECK_FALSE(world->shelf.holds(notice));
}

TEST_CASE("more than one leaf can name goes into several", "[retention]") {
    World world;
    world.now += 24h;
    Expire expire;
    for (std::uint64_t i = 0; i <= limits::erased_per_record_max; ++i)
        expire.kept.push_back({i, world.now - 3h, care, "receipt", {}, {}});
    const auto outcome = world.exchange.decide(expire, world.now);
    REQUIRE(outcome.records.size() == 2);
    CHECK(outcome.records[0].erases.size() == limits::erased_per_record_max);
    CHECK(outcome.records[1].erases == std::vector<std::uint64_t>{limits::erased_per_record_max});
    CHECK(outcome.records[1].leaf.rule == "RET-R");
    CHECK(outcome.records[1].leaf.candidates == 1);
}

TEST_CASE("a hold keeps a subject's records from their time's end until it is lifted", "[retention]") {
    auto world = county();
    settle(*world);
    const auto notice = of_class(*world, "notice").at(0);
    const bool by_operator = GENERATE(true, false);
    const auto who = by_operator ? duty : care;
    REQUIRE(confirmed(world->order(who, OrderDoes::hold, flag_1)));
    const auto& held = only(*world, LeafKind::held);
    CHECK(held.user == "J. Worker");
    CHECK(held.leaf.outcome == "court_order");
    CHECK(held.leaf.purpose == "CASE-1");
    CHECK(held.leaf.recipient == (by_operator ? "" : care));
    CHECK(held.subjects == std::vector{flag_1});
    CHECK(held.leaf.related == std::get<Confirmed>(world->last.reply).index);
    world->tick(24h * 400);
    check_recovery(*world);
    world->expire();
    CHECK(world->shelf.holds(notice));
    CHECK(reason(world->order(care, OrderDoes::erase, flag_1)) == Reason::on_hold);
    CHECK(world->shelf.holds(notice));

    REQUIRE(confirmed(world->order(who, OrderDoes::lift, flag_1)));
    const auto& lifted = only(*world, LeafKind::lifted);
    CHECK(lifted.user == "J. Worker");
    CHECK(lifted.drops.size() == 1);
    world->expire();
    CHECK_FALSE(world->shelf.holds(notice));
    check_recovery(*world);
}

TEST_CASE("an agency's hold keeps its own records only", "[retention]") {
    auto world = county();
    settle(*world);
    const auto notice = of_class(*world, "notice").at(0);  // social care's
    REQUIRE(confirmed(world->order(force, OrderDoes::hold, incident_1)));
    world->tick(24h * 30);
    world->expire();
    CHECK_FALSE(world->shelf.holds(notice));
    CHECK_FALSE(of_class(*world, "incident").empty());
}

TEST_CASE("a hold keeps an incident nobody was told of beyond its window", "[retention]") {
    World world;
    world.send(incident_with(stranger, "NP-1"));
    const bool held = GENERATE(true, false);
    if (held) REQUIRE(confirmed(world.order(duty, OrderDoes::hold, incident_1)));
    world.tick(73h);
    CHECK(of_class(world, "incident").empty() == !held);
    check_recovery(world);
    world.tick(24h * 20);
    world.expire();
    CHECK(of_class(world, "incident").empty() == !held);
    if (held) REQUIRE(confirmed(world.order(duty, OrderDoes::lift, incident_1)));
    world.expire();
    CHECK(of_class(world, "incident").empty());
    check_recovery(world);
}

TEST_CASE("holds are refused where they make no sense", "[retention]") {
    auto world = county();
    REQUIRE(confirmed(world->order(care, OrderDoes::hold, flag_1)));
    CHECK(reason(world->order(care, OrderDoes::hold, flag_1)) == Reason::conflict);
    CHECK(confirmed(world->order(care, OrderDoes::hold, flag_1, "", "CASE-2")));
    CHECK(reason(world->order(care, OrderDoes::lift, flag_1, "", "CASE-3")) == Reason::not_found);
    CHECK(reason(world->order(care, OrderDoes::lift, flag_1, force)) == Reason::not_permitted);
    REQUIRE(confirmed(world->order(duty, OrderDoes::hold, flag_1, care, "INQUIRY-1")));
    CHECK(reason(world->order(care, OrderDoes::lift, flag_1, "", "INQUIRY-1")) == Reason::not_permitted);
    CHECK(reason(world->order(duty, OrderDoes::lift, flag_1, care)) == Reason::not_permitted);
    CHECK(confirmed(world->order(duty, OrderDoes::lift, flag_1, care, "INQUIRY-1")));
    CHECK(reason(world->order("trust/north", OrderDoes::hold, "pupil/900003/1", "school/900001")) ==
          Reason::not_permitted);
    CHECK(confirmed(world->order("trust/north", OrderDoes::hold, "pupil/900003/1", "school/900003")));
    check_recovery(*world);
}

TEST_CASE("a controller has its own record erased, with a leaf that says by whose authority", "[retention]") {
    auto world = county();
    settle(*world);
    load_flag(*world, 2, "2", child_b);
    settle(*world);
    const bool by_operator = GENERATE(true, false);
    const auto before = world->shelf.about(flag_1);
    REQUIRE(confirmed(by_operator ? world->order(duty, OrderDoes::erase, flag_1, care)
                                  : world->order(care, OrderDoes::erase, flag_1)));
    const auto& erased = only(*world, LeafKind::erased);
    CHECK(erased.leaf.operation == log::Operation::erasure);
    CHECK(erased.user == "J. Worker");
    CHECK(erased.leaf.outcome == "court_order");
    CHECK(erased.leaf.purpose == "CASE-1");
    CHECK(erased.leaf.recipient == care);
    CHECK(erased.leaf.rule == "order");
    CHECK(erased.leaf.actor == "spiffe://county.example/" + (by_operator ? duty : care));
    CHECK(erased.subjects.empty());
    CHECK(erased.body.empty());
    CHECK(erased.leaf.related == std::get<Confirmed>(world->last.reply).index);
    for (const auto& kept : before)
        CHECK(world->shelf.holds(kept.index) == (kept.controller != care || kept.retention == "order"));
    CHECK(std::ranges::any_of(before, [](const auto& kept) { return kept.controller == force; }));
    CHECK(reason(world->order(care, OrderDoes::erase, flag_1)) == Reason::not_found);
    check_recovery(*world);
}

TEST_CASE("an order to erase is refused with its reason, and nothing of it is done", "[retention]") {
    auto world = county();
    const auto kept_before = world->shelf.all().size();
    const auto refused = [&](Reply reply) {
        CHECK(world->shelf.all().size() == kept_before);
        REQUIRE(world->kinds() == std::vector{LeafKind::refused});
        return *refusal(reply);
    };
    SECTION("a flag that stands") {
        load_flag(*world, 2, "2", child_b);  // flag 1 is taken off, flag 2 stands
        const auto why = refusal(world->order(care, OrderDoes::erase, "flag/E10000024/2"));
        REQUIRE(why);
        CHECK(why->reason == Reason::in_use);
        CHECK(why->where.ends_with("it stands in the register"));
    }
    SECTION("an obligation that is open") {
        world->acknowledge(care, care_box, {1});
        const auto kept = of_class(*world, "notice");
        schemas::RecordOrderValue value;
        value.does = OrderDoes::erase;
        value.record = kept.at(0);
        const auto why = refusal(world->order(care, value));
        REQUIRE(why);
        CHECK(why->reason == Reason::in_use);
        CHECK(why->where.find("an open obligation, FP-") != std::string::npos);
    }
    SECTION("an incident whose window is open") {
        const auto why = refused(world->order(force, OrderDoes::erase, incident_1));
        CHECK(why.reason == Reason::in_use);
        CHECK(why.where.ends_with("an incident whose window for late flags is open"));
    }
    SECTION("nothing known") {
        CHECK(refused(world->order(care, OrderDoes::erase, "flag/E10000024/9")).reason == Reason::not_found);
        schemas::RecordOrderValue value;
        value.does = OrderDoes::erase;
        value.record = 100'000;
        CHECK(refused(world->order(care, value)).reason == Reason::not_found);
    }
    SECTION("another's") {
        CHECK(refused(world->order("school/900001", OrderDoes::erase, flag_1)).reason == Reason::not_found);
        CHECK(refused(world->order("school/900001", OrderDoes::erase, flag_1, care)).reason ==
              Reason::not_permitted);
        schemas::RecordOrderValue value;
        value.does = OrderDoes::erase;
        value.record = of_class(*world, "flag").at(0);
        CHECK(refused(world->order(force, value)).reason == Reason::not_permitted);
    }
    SECTION("nobody's in particular") {
        CHECK(refused(world->order(duty, OrderDoes::erase, flag_1)).reason == Reason::invalid_value);
        CHECK(refused(world->order(duty, OrderDoes::erase, flag_1, "nobody")).reason ==
              Reason::invalid_value);
    }
    check_recovery(*world);
}

TEST_CASE("an incident can be erased once it is settled, and no update is threaded onto it after",
          "[retention]") {
    auto world = county();
    world->tick(73h);
    CHECK(reason(world->order(force, OrderDoes::erase, incident_1)) == Reason::in_use);
    settle(*world);
    const auto notice = of_class(*world, "notice").at(0);
    REQUIRE(confirmed(world->order(force, OrderDoes::erase, incident_1)));
    check_recovery(*world);
    for (const auto& kept : world->shelf.about(incident_1))
        CHECK((kept.controller != force || kept.retention == "order"));
    CHECK(world->shelf.holds(notice));  // social care's own record
    world->send(incident_with(child_a, "NP-1", 2));
    const auto again = only(*world, LeafKind::notice_issued);
    CHECK(again.leaf.outcome == "first");
    check_recovery(*world);
}

TEST_CASE("one spoilt field of an order is refused by name", "[retention]") {
    auto world = county();
    const auto [field, spoil] = GENERATE(table<const char*, void (*)(schemas::RecordOrderValue&)>({
        {"order: needs either", [](auto& order) { order.subject.clear(); }},
        {"order: needs either", [](auto& order) { order.record = 1; }},
        {"order.does", [](auto& order) { order.does = static_cast<OrderDoes>(static_cast<int>(OrderDoes::MAX) + 1); }},
        {"order.subject", [](auto& order) { order.subject = std::string(129, 'x'); }},
        {"order.subject", [](auto& order) { order.subject = "flag/\x1f"; }},
        {"order.by", [](auto& order) { order.by = std::string(256, 'x'); }},
        {"order.reason", [](auto& order) { order.reason = "Because of it"; }},
        {"order.reference", [](auto& order) { order.reference = std::string(65, 'x'); }},
        {"order.reference", [](auto& order) { order.reference = "re Amelia Ravenscroft"; }},
        {"order.reference", [](auto& order) { order.reference = "Ravenscroft"; }},
        {"order.controller", [](auto& order) { order.controller = "care"; }},
        {"order.record", [](auto& order) {
             order.does = OrderDoes::hold;
             order.subject.clear();
             order.record = 1;
         }},
    }));
    CAPTURE(field);
    schemas::RecordOrderValue order;
    order.does = OrderDoes::erase;
    order.subject = flag_1;
    spoil(order);
    const auto why = refusal(world->order(care, order));
    REQUIRE(why);
    CHECK(why->reason == Reason::invalid_value);
    CHECK(why->where.starts_with(field));
}

TEST_CASE("only the agency itself and operators give orders", "[retention]") {
    auto world = county();
    schemas::RecordOrderValue value;
    value.does = OrderDoes::hold;
    value.subject = flag_1;
    value.by = "J. Worker";
    value.reason = "court_order";
    value.reference = "CASE-1";
    const auto payload = wire::pack<schemas::RecordOrder>(value);
    using schemas::Kind;
    CHECK(reason(world->send(force, Kind::record_order, "orders/" + care, payload)) == Reason::not_permitted);
    CHECK(reason(world->send(care, Kind::record_order, "operations/duty", payload)) == Reason::not_permitted);
    CHECK(reason(world->send(care, Kind::record_order, "receipts/" + care, payload)) ==
          Reason::invalid_value);
    CHECK(reason(world->send(care, Kind::receipt, "orders/" + care, payload)) == Reason::invalid_value);
    CHECK(confirmed(world->send(care, Kind::record_order, "orders/" + care, payload)));
}
