#include "adapters/web/staff.h"

#include <nlohmann/json.hpp>

#include "broker/core/bytes.h"
#include "broker/crypto/digest.h"

namespace flagpost::web {
namespace {

using nlohmann::json;
using schemas::StaffDoes;

constexpr auto told_fact = "staff/";

/// A person as the log was told of them.
json told_of(const Person& person) {
    const std::string secrets = person.password + "\n" + person.code_secret;
    json told{
        {"called",    person.called                        },
        {"role",      person.role                          },
        {"teams",     person.teams                         },
        {"suspended", person.suspended                     },
        {"secrets",   to_hex(crypto::sha256(view(secrets)))}
    };
    if (person.cover) told["cover"] = {person.cover->by, person.cover->from, person.cover->until};
    return told;
}

void enqueue(client::Box& box, const AgencyId& agency, const StaffChange& change, Instant now) {
    schemas::StaffChangeValue value;
    value.does = change.does;
    value.by = change.by;
    value.about = change.about.called;
    value.cover = change.cover;
    const bool says_role = change.does == StaffDoes::added || change.does == StaffDoes::changed;
    if (says_role) value.role = change.about.role;
    value.at_us = to_us(now);
    const wire::Draft draft{schemas::Kind::staff_change,
                            "receipts/" + agency.text(),
                            {},
                            {},
                            {},
                            {},
                            wire::pack<schemas::StaffChange>(value)};
    box.enqueue({
        {draft, "people"}
    });
    box.set_fact(told_fact + change.about.name, told_of(change.about).dump());
}

/// What happened to somebody between two times, `before` as told_of has it.
std::vector<StaffDoes> deeds(const json& before, const Person& person) {
    const json now = told_of(person);
    const auto differs = [&](const char* what) {
        return before.value(what, json{}) != now.value(what, json{});
    };
    std::vector<StaffDoes> all;
    if (differs("called") || differs("role") || differs("teams")) all.push_back(StaffDoes::changed);
    if (differs("secrets")) all.push_back(StaffDoes::renewed);
    if (differs("cover")) all.push_back(person.cover ? StaffDoes::covered : StaffDoes::uncovered);
    if (differs("suspended")) all.push_back(person.suspended ? StaffDoes::suspended : StaffDoes::reinstated);
    return all;
}

}  // namespace

void change_staff(client::Box& box, const AgencyId& agency, const StaffChange& change, Instant now,
                  const std::function<void()>& make) {
    box.at_once([&] {
        enqueue(box, agency, change, now);
        make();
    });
}

bool keep_person(Handover& handover, People& people, const AgencyId& agency, const StaffChange& change,
                 Instant now) {
    return handover.carry_out([&people, agency, change, now](client::Box& box) {
        change_staff(box, agency, change, now, [&] { people.put(change.about); });
    });
}

void StaffWatch::turn(client::Box& box, Instant now) {
    auto version = people_.version();
    if (version == seen_) return;
    // Whoever changes the file in another process tells the log in one transaction with it: it is over once this one begins.
    box.at_once([&] {
        version = people_.version();
        auto told = box.facts_under(told_fact);
        std::map<std::string, std::string> called;
        const auto everybody = people_.everybody();
        for (const auto& person : everybody) called.emplace(person.name, person.called);
        const auto tell = [&](StaffDoes does, const Person& person) {
            StaffChange change{does, changed_by_hand, person};
            if (does == StaffDoes::covered) {
                const auto by = called.find(person.cover->by);
                change.cover = by == called.end() ? person.cover->by : by->second;
            }
            enqueue(box, agency_, change, now);
        };
        for (const auto& person : everybody) {
            const auto fact = told.extract(person.name);
            const auto before = fact.empty() ? json{} : json::parse(fact.mapped(), nullptr, false);
            const bool is_new = !before.is_object();
            if (is_new) tell(StaffDoes::added, person);
            if (is_new && person.suspended) tell(StaffDoes::suspended, person);
            if (is_new) continue;
            for (const auto does : deeds(before, person)) tell(does, person);
        }
        for (const auto& [name, before] : told) {  // nobody can sign in as them any more
            const auto row = json::parse(before, nullptr, false);
            Person gone;
            gone.name = name;
            gone.called = row.is_object() ? row.value("called", name) : name;
            if (!row.is_object() || !row.value("suspended", false)) tell(StaffDoes::suspended, gone);
            box.forget_fact(told_fact + name);
        }
    });
    seen_ = version;
}

}  // namespace flagpost::web
