/// What would become of one incident under an agreement, in words: the matcher and the planner are asked about a made-up
/// family, so that what is explained is what is done.
#pragma once

#include "broker/notices/plan.h"

namespace flagpost::notices {

enum class Standing : std::uint8_t { unflagged, standing, ended, ended_long_ago, deleted };

/// A child of whom all details agree, and one adult of the same incident.
struct Case {
    std::string force;           // "31"
    std::string la;              // whose child: "E10000024"
    std::uint32_t urn = 0;       // of the school whose roll the child is on; 0: on none
    bool not_in_school = false;  // the child is on the authority's register of children not in school
    bool is_list_old = false;    // nobody has confirmed that roll or register for six weeks
    std::string lives_in =
        {};  // where police were told that the child lives: "E10000007"; empty: where it happened
    bool domestic_abuse = false;
    std::vector<std::string> qualifiers;
    Standing flag = Standing::standing;
    schemas::FlagKind kind{};
    schemas::Shield shield{};
    bool is_named = true;  // the child; else, and if it is unborn, only the adult leads to it
    schemas::Role adult = schemas::Role::victim;  // of the child's mother, in the incident
    std::optional<schemas::Outcome> how_sure;     // instead of what comparing all details gives
};

/// One day the broker might be asked: the register that holds the child, and the incident.
struct Made {
    registry::Register known;
    schemas::IncidentValue incident;
};
Made made_up(const Case& of, Instant now);

/// What comparing gives, with `how_sure` in its place.
match::Decision decided(const Case& of, const Made& made, Instant now);

/// Why `agency` gets nothing of it at once, in one sentence; empty: it is told.
std::string why_not(const agreement::Agreement& agreement, const Case& of, const Plan& plan,
                    const AgencyId& agency);

/// Who is told what, under which rule, for what purpose, on what legal basis, by when and who after them; what waits for
/// a person; and of the agencies of this child that are not told, why. `only`: that agency's part of it.
std::string explain(const agreement::Agreement& agreement, const Case& of, Instant now,
                    const date::time_zone* zone, const std::optional<AgencyId>& only);

}  // namespace flagpost::notices
