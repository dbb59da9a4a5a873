/// make_audit_export DIR SEAL.pub: a quarter's log for tests/browser, sealed to that key, with all that the audit desk draws:
/// notices opened in time, late and never, closed by others than were told first, given back, and one nobody has closed.
///
/// Writes DIR/export, DIR/log.vkey and DIR/policy.txt, which names two witnesses of whom one has cosigned.
#include <iostream>

#include "tests/unit/auditor/sealed_log.h"

using namespace flagpost;
using namespace exchange::testing;
using namespace std::chrono_literals;

namespace {

/// What somebody will do about a notice.
struct Planned {
    Instant at;
    std::string agency;
    Id16 notice;
    schemas::Level level;
    std::string outcome;
};

std::vector<log::Record> quarter() {
    World world;
    world.now = at("2025-10-06", 9h);  // a Monday
    world.give(exchange::Started{texts(1, 1)});
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "100", home_a)),
                   wire::pack<schemas::Flag>(flag(child_b, "200"))};
    world.load(flags);
    Load roll;
    roll.agency = "education/E10000024";
    roll.topic = "rolls/E10000024";
    roll.of = schemas::LoadOf::rolls;
    roll.scope = "la:E10000024";
    roll.items = {wire::pack<schemas::Pupil>(pupil(child_a, 900001)),
                  wire::pack<schemas::Pupil>(pupil(child_b, 900002))};
    world.load(roll);

    std::vector<Planned> plans;
    std::set<Id16> seen;
    const auto plan = [&](std::size_t incident, const auto& owed) {
        using schemas::Level;
        if (!seen.insert(owed.notice).second || incident == 24) return;  // 24: nobody closes it
        if (owed.recipient.starts_with("school/")) {
            // Between the evening and the morning; two are late.
            const auto after = incident % 12 == 7  ? 19h
                               : incident % 5 == 0 ? 2h
                                                   : std::chrono::hours{6 + incident % 4};
            plans.push_back({world.now + after, owed.recipient, owed.notice, Level::opened, ""});
        } else if (incident == 11) {
            plans.push_back({world.now + 3h, owed.recipient, owed.notice, Level::recorded, "not_this_child"});
        } else {
            const auto after = incident % 8 == 5 ? 20h : 3h;
            plans.push_back({world.now + after, owed.recipient, owed.notice, Level::recorded, "contacted"});
        }
    };
    for (std::size_t hour = 0, incident = 0; hour < std::size_t{24} * 7 * 13; ++hour) {
        world.tick(1h);
        for (const auto& each : plans)
            if (each.at <= world.now) world.receipt(each.agency, each.notice, each.level, each.outcome);
        std::erase_if(plans, [&](const Planned& each) { return each.at <= world.now; });
        const auto day = hour / 24 % 7;
        if (hour % 24 != 12 || (day != 1 && day != 3)) continue;
        world.send(abuse_with(incident % 2 == 0 ? child_a : child_b, "OCC-" + std::to_string(incident)));
        for (const auto& owed : world.exchange.open_obligations()) plan(incident, owed);
        ++incident;
    }
    return world.records;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: make_audit_export DIR SEAL.pub\n";
        return 2;
    }
    const std::filesystem::path directory = argv[1];
    test::SealedLog log{quarter()};
    auditor::write_export(log, test::log_vkey(), directory / "export",
                          auditor::SealedTerms{"all", "practice", crypto::load_box_public_key(argv[2])});
    const auto care = crypto::NoteKey::from_seed({8}), trust = crypto::NoteKey::from_seed({9});
    const auto vkey = [](const char* name, const crypto::NoteKey& key) {
        return log::VerifierKey{name, log::VerifierKey::Type::cosignature, key.public_key()}.text();
    };
    auto note = log::SignedNote::parse(test::read_file(directory / "export/checkpoint")).value();
    note.signatures.push_back(log::cosign_note(note.text, "care.example/w", care, at("2026-01-05")));
    test::write_file(directory / "export/checkpoint", note.format());
    test::write_file(directory / "log.vkey", test::log_vkey().text() + "\n");
    test::write_file(directory / "policy.txt", "log " + test::log_vkey().text() + "\nwitness care " +
                                                   vkey("care.example/w", care) + "\nwitness oak-trust " +
                                                   vkey("trust.example/w", trust) +
                                                   "\ngroup both 1 care oak-trust\nquorum both\n");
    return 0;
}
