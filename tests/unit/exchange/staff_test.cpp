#include "staff_generated.h"
#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using log::LeafKind;
using schemas::StaffDoes;

namespace {

const std::string care = "social-care/E10000024";

schemas::StaffChangeValue change(StaffDoes does) {
    schemas::StaffChangeValue value;
    value.does = does;
    value.by = "Ada Low";
    value.about = "Sam Patel";
    return value;
}

Reply tell(World& world, const schemas::StaffChangeValue& value,
           const std::string& topic = "receipts/" + care) {
    return world.send(care, schemas::Kind::staff_change, topic, wire::pack<schemas::StaffChange>(value));
}

}  // namespace

TEST_CASE("who changed what about whom is a leaf, without a name in clear", "[exchange]") {
    World world;
    world.give(Started{texts(1, 1)});
    auto added = change(StaffDoes::added);
    added.role = "worker";
    REQUIRE(confirmed(tell(world, added)));
    const auto& record = world.records.back();
    CHECK(record.leaf.kind == LeafKind::staff_changed);
    CHECK(record.leaf.operation == log::Operation::none);
    CHECK(record.leaf.outcome == "added: worker");
    CHECK(record.leaf.topic == "receipts/" + care);
    CHECK(record.user == "Ada Low");
    CHECK(record.subjects == std::vector<std::string>{"Sam Patel"});
    CHECK(record.controller == care);
    CHECK(record.retention == "receipt");

    auto covered = change(StaffDoes::covered);
    covered.cover = "Lee Jones";
    REQUIRE(confirmed(tell(world, covered)));
    CHECK(world.records.back().leaf.outcome == "covered");
    CHECK(world.records.back().subjects == std::vector<std::string>{"Sam Patel", "Lee Jones"});
    auto crafty = change(StaffDoes::renewed);
    crafty.about = "incident/31/OCC-1";
    REQUIRE(confirmed(tell(world, crafty)));
    CHECK(world.records.back().subjects ==
          std::vector<std::string>{"incident 31 OCC-1"});  // no incident is found by it
    REQUIRE(confirmed(tell(world, change(StaffDoes::suspended))));
    CHECK(world.records.back().leaf.outcome == "suspended");
    for (const auto& each : world.records)
        for (const auto& text : {each.leaf.outcome, each.leaf.rule, each.leaf.purpose, each.leaf.recipient})
            CHECK((text.find("Sam") == std::string::npos && text.find("Ada") == std::string::npos));
}

TEST_CASE("a change of staff that names nobody, or says in words what only a code may say, is refused",
          "[exchange]") {
    World world;
    world.give(Started{texts(1, 1)});
    const auto before = world.exchange.state_digest();
    const auto fault = [&](auto spoil) {
        auto value = change(StaffDoes::covered);
        value.cover = "Lee Jones";
        spoil(value);
        return refusal(tell(world, value));
    };
    CHECK(fault([](auto& value) { value.by.clear(); }) == Refusal{Reason::invalid_value, "staff_change.by"});
    CHECK(fault([](auto& value) { value.about.clear(); }) ==
          Refusal{Reason::invalid_value, "staff_change.about"});
    CHECK(fault([](auto& value) { value.about = "Sam\x01"; }) ==
          Refusal{Reason::invalid_value, "staff_change.about"});
    CHECK(fault([](auto& value) { value.cover.clear(); }) ==
          Refusal{Reason::invalid_value, "staff_change.cover"});
    CHECK(fault([](auto& value) { value.does = StaffDoes::changed; }) ==
          Refusal{Reason::invalid_value, "staff_change.cover"});
    CHECK(fault([](auto& value) { value.role = "Looks after Ava Example"; }) ==
          Refusal{Reason::invalid_value, "staff_change.role"});
    CHECK(fault([](auto& value) { value.does = static_cast<StaffDoes>(99); })->where == "staff_change.does");
    CHECK(reason(tell(world, change(StaffDoes::added), "receipts/social-care/E06000018")) ==
          Reason::not_permitted);
    CHECK(world.exchange.state_digest() == before);
}
