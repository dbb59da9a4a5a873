#include "broker/match/compare.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "broker/match/text.h"

namespace flagpost::match {
namespace {

using registry::NamePart;
using registry::PersonForm;
using registry::Pool;
using registry::WordCounts;

/// One level of a field: its name in evidence, its weight, and what a person reads.
struct Level {
    const char* name;
    Millibits weight;
    const char* words;  // empty: not worth saying
};

// Exact names are weighed by how many bear them; the figure here stands for a name nobody else bears.
constexpr auto given_levels = std::to_array<Level>({
    {"exact",       8000,  "First name agrees."                                           },
    {"known_form",  5000,  "First name is a known form of the same name."                 },
    {"near",        4500,  "First name is spelt differently."                             },
    {"shared_word", 3000,  "One of the given names agrees."                               },
    {"initial",     1500,  "The first letter of the first name agrees; more is not known."},
    {"similar",     2000,  "First name is only similar."                                  },
    {"distant",     -1000, "First name differs."                                          },
    {"other",       -3500, "First name differs."                                          },
    {"missing",     0,     "There is no first name to compare."                           },
});
static_assert(given_levels.size() == static_cast<std::size_t>(Given::missing) + 1);
constexpr auto family_levels = std::to_array<Level>({
    {"exact",       9000,  "Family name agrees."                },
    {"near",        5000,  "Family name is spelt differently."  },
    {"shared_word", 4500,  "Part of the family name agrees."    },
    {"similar",     3000,  "Family name is only similar."       },
    {"distant",     -500,  "Family name differs."               },
    {"other",       -3500, "Family name differs."               },
    {"missing",     0,     "There is no family name to compare."},
});
static_assert(family_levels.size() == static_cast<std::size_t>(Family::missing) + 1);
constexpr Level swapped_exact{"swapped", 12000, "First name and family name are in each other's place."};
constexpr Millibits swapped_near = 9000;
constexpr auto born_levels = std::to_array<Level>({
    {"exact",             12200, "Date of birth agrees."                                                   },
    {"exact_new_year",    6500,  "Date of birth agrees, but 1 January is often written for an unknown day."},
    {"digits_swapped",    7000,  "Two digits of the date of birth are in each other's place."              },
    {"day_month_swapped", 6500,  "Day and month of birth are in each other's place."                       },
    {"one_digit",         5600,  "One digit of the date of birth differs."                                 },
    {"one_part",          3000,  "Day, month or year of birth differs."                                    },
    {"year_new_year",     1500,  "Only the year of birth agrees; the day may not have been known."         },
    {"near_new_year",     500,   "The date of birth is an estimate: 1 January of the year before or after."},
    {"near_year",         -4000, "Only the day of birth agrees; the year is one or two off."               },
    {"same_year",         -500,  "Only the year of birth agrees."                                          },
    {"partial_month",     7000,  "Month and year of birth agree; the day is not known."                    },
    {"partial_day",       8000,  "Day and month of birth agree; the year is not known."                    },
    {"partial_year",      4000,  "Year of birth agrees; day and month are not known."                      },
    {"partial_part",      1000,  "Of the known parts of the date of birth one differs."                    },
    {"partial_conflict",  -2500, "Date of birth differs."                                                  },
    {"conflict",          -6500, "Date of birth differs."                                                  },
    {"missing",           0,     "There is no date of birth to compare."                                   },
});
static_assert(born_levels.size() == static_cast<std::size_t>(Born::missing) + 1);
constexpr auto where_levels = std::to_array<Level>({
    {"uprn",          11000, "Address agrees (same property number, UPRN)."},
    {"full",          9900,  "Address agrees."                             },
    {"building",      7500,  "Address agrees except for the flat."         },
    {"street",        6500,  "House number and street agree."              },
    {"postcode",      6500,  "Postcode agrees."                            },
    {"near_postcode", 4000,  "Postcode is one character different."        },
    {"sector",        2500,  "Address is nearby."                          },
    {"district",      800,   ""                                            },
    {"town",          4000,  "Town agrees."                                },
    {"elsewhere",     -2000, "Address differs."                            },
    {"missing",       0,     ""                                            },
});
static_assert(where_levels.size() == static_cast<std::size_t>(Where::missing) + 1);
constexpr auto sex_levels = std::to_array<Level>({
    {"same",    900,   ""            },
    {"differs", -3000, "Sex differs."},
    {"missing", 0,     ""            },
});
static_assert(sex_levels.size() == static_cast<std::size_t>(Sex::missing) + 1);
constexpr auto identifier_levels = std::to_array<Level>({
    {"same",    20000, "Pupil number or NHS number agrees."                    },
    {"near",    8000,  "Pupil number or NHS number is one character different."},
    {"differs", -4500, "Pupil number or NHS number differs."                   },
    {"missing", 0,     ""                                                      },
});
static_assert(identifier_levels.size() == static_cast<std::size_t>(Identifier::missing) + 1);

// How telling a town is goes by how many of the pool live there; a pool that counts few is taken to have some thirty.
constexpr std::uint64_t residents_believed = 2;
constexpr std::uint64_t towns_believed = 60;
constexpr Millibits town_weight_min = 500;
constexpr Millibits town_beside_other_postcode = -1500;
constexpr Millibits telling_place = 4000;

// Against another member of the household: what tells two children of one family apart.
constexpr Millibits household_prior = -1500;
constexpr Millibits household_given_exact = 7200;  // two of one household rarely share a given name
// A namesake in the house is a parent, who is older by more than a year or two: brothers are not called alike.
constexpr Millibits household_near_year = 4000;
constexpr int generation_years = 13;
constexpr Millibits household_born_exact = 6300;  // twins: about one pair of household members in eighty
constexpr Millibits household_born_exact_grown =
    9000;  // one pair of grown twins in seven is believed to share a home

// A pattern that is somebody else more often than its score says is believed from 1 in 512 wrong.
constexpr Millibits lifted = 9000;

// Dates that are estimates are shared by newcomers, who share names and streets as well. So names and years are counted
// among those born on 1 January alone, believed to be as few as theirs until many are counted: one given name in 50, a
// family name in 100, a year in 20. For each of them on the register a county has some sixty others.
constexpr std::uint64_t new_year_counts_believed = 200;
constexpr std::uint64_t new_year_given_believed = 4, new_year_family_believed = 2,
                        new_year_years_believed = 10;
constexpr std::uint64_t new_year_weight = 4;  // of a count beside what is believed
constexpr std::uint64_t others_for_each = 64;
constexpr Millibits estimate_nearby = 3000;      // one in eight of them lives as near
constexpr Millibits estimate_alone_from = 6600;  // less than one other in a hundred counties

// How common a name nobody has counted is taken to be, and how strongly that belief weighs against counts.
constexpr std::uint64_t counts_believed = 2000;
constexpr std::uint64_t given_bearers_believed = 8;
constexpr std::uint64_t family_bearers_believed = 3;

template <class Levels, class Enum> const Level& level(const Levels& levels, Enum value) {
    return levels[static_cast<std::size_t>(value)];
}

Millibits rarity(std::uint64_t bearers, std::uint64_t total, std::uint64_t bearers_believed) {
    const auto weight = log2_millibits(total + counts_believed, bearers + bearers_believed);
    return std::clamp(weight, name_weight_min, name_weight_max);
}

Millibits town_weight(const registry::PlaceForm& theirs, const Pool& pool) {
    const auto& towns = pool.town_counts();
    return std::clamp(
        log2_millibits(towns.total() + towns_believed, towns.of(theirs.town) + residents_believed),
        town_weight_min, town_weight_max);
}

bool family_or_place_agrees(const Comparison& c) {
    return c.family <= Family::similar || c.where <= Where::near_postcode;
}

Millibits household_score(const Comparison& c) {
    Millibits total = household_prior;
    total += c.given == Given::exact ? household_given_exact : level(given_levels, c.given).weight;
    if (c.given == Given::exact && c.born == Born::near_year) total += household_near_year;
    const auto born = level(born_levels, c.born).weight;
    total += c.born == Born::exact && c.left_home ? household_born_exact_grown
                                                  : std::min(born, household_born_exact);
    return total + level(sex_levels, c.sex).weight + level(identifier_levels, c.identifier).weight;
}

bool date_conflicts(Born born) {
    return born == Born::conflict || born == Born::same_year || born == Born::near_year ||
           born == Born::partial_conflict || born == Born::partial_part || born == Born::one_part;
}

template <class Levels> void say(std::vector<std::string>& out, const Levels& levels, std::size_t value) {
    if (*levels[value].words) out.emplace_back(levels[value].words);
}

template <class Levels> void list(std::string& out, const char* field, const Levels& levels) {
    for (const auto& each : levels) {
        out += std::string{field} + "." + each.name + "=" + std::to_string(each.weight) + "\n";
    }
}

}  // namespace

Millibits given_weight(Given value, const NamePart& theirs, const Pool& pool) {
    const auto& counts = pool.given_counts();
    const auto exact = [&] {
        return rarity(counts.of(theirs.words.front().text), counts.total(), given_bearers_believed);
    };
    if (value == Given::exact) return exact();
    const auto weight = level(given_levels, value).weight;
    return value == Given::near ? std::max(weight, exact() - near_less) : weight;
}

Millibits family_weight(Family value, const NamePart& theirs, const Pool& pool) {
    const auto& counts = pool.family_counts();
    const auto exact = [&] {
        return rarity(counts.of(theirs.joined.text), counts.total(), family_bearers_believed);
    };
    if (value == Family::exact) return exact();
    const auto weight = level(family_levels, value).weight;
    return value == Family::near ? std::max(weight, exact() - near_less) : weight;
}

Millibits weight_of(Given value) { return level(given_levels, value).weight; }
Millibits weight_of(Family value) { return level(family_levels, value).weight; }
Millibits weight_of(Born value) { return level(born_levels, value).weight; }
Millibits weight_of(Where value) { return level(where_levels, value).weight; }
Millibits weight_of(Sex value) { return level(sex_levels, value).weight; }

Millibits swapped_weight(bool exact) { return exact ? swapped_exact.weight : swapped_near; }

Comparison compare(const PersonForm& ours, const PersonForm& theirs, NameComparer& names) {
    Comparison result{names.best(theirs)};
    result.born = compare_born(ours.born, theirs.born);
    if (ours.born.year != 0 && theirs.born.year != 0) {
        result.years_apart = std::abs(ours.born.year - theirs.born.year);
    }
    if (ours.sex != 'U' && theirs.sex != 'U') result.sex = ours.sex == theirs.sex ? Sex::same : Sex::differs;
    result.identifier = std::min(compare_identifier(ours.upn, theirs.upn),
                                 compare_identifier(ours.nhs_number, theirs.nhs_number));
    return result;
}

void compare_homes(Comparison& comparison, const PersonForm& ours, const PersonForm& theirs,
                   const Pool& pool) {
    for (const auto& here : ours.places) {
        for (const auto& there : theirs.places) {
            auto where = compare_places(*here.place, *there.place);
            auto weight = level(where_levels, where).weight;
            if (where >= Where::sector && towns_agree(*here.place, *there.place)) {
                const auto town = town_weight(*there.place, pool) +
                                  (where == Where::missing ? 0 : town_beside_other_postcode);
                if (town > weight) {
                    where = Where::town;
                    weight = town;
                }
            }
            if (weight > comparison.where_weight || comparison.where == Where::missing) {
                comparison.where = where;
                comparison.where_weight = weight;
            }
        }
    }
}

void weigh_estimate(Comparison& c, const PersonForm& theirs, const Pool& pool) {
    if (c.born != Born::exact_new_year || c.given != Given::exact || c.family != Family::exact || c.swapped ||
        c.other_name)
        return;
    const auto& counts = pool.new_year_counts();
    const auto total = counts.years.total();
    const auto rarity = [&](const WordCounts& words, const std::string& word, std::uint64_t believed) {
        const std::uint64_t others = std::max(words.of(word), 1U) - 1;
        return log2_millibits(new_year_weight * total + new_year_counts_believed,
                              new_year_weight * others + believed);
    };
    const auto& name = theirs.names.front();
    const auto alone = rarity(counts.given, name.given->words.front().text, new_year_given_believed) +
                       rarity(counts.family, name.family->joined.text, new_year_family_believed) +
                       rarity(counts.years, std::to_string(theirs.born.year), new_year_years_believed) +
                       estimate_nearby -
                       log2_millibits(std::max<std::uint64_t>(total, 1) * others_for_each, 1);
    c.estimate_of_few = alone >= estimate_alone_from;
}

void add_attended(Comparison& comparison, const registry::PlaceForm& attended, const PersonForm& theirs) {
    if (attended.empty() || comparison.where <= Where::postcode) return;
    for (const auto& there : theirs.places) {
        const auto where = compare_places(attended, *there.place);
        if (where <= Where::postcode && comparison.where > where) set_where(comparison, where);
    }
}

void set_where(Comparison& comparison, Where where) {
    comparison.where = where;
    comparison.where_weight = level(where_levels, where).weight;
}

std::vector<Evidence> evidence(const Comparison& c, Millibits prior) {
    std::vector<Evidence> list{
        {"prior", "", prior}
    };
    if (c.swapped) {
        list.push_back({"name", swapped_exact.name, c.given_weight});
    } else {
        list.push_back({"given_name", level(given_levels, c.given).name, c.given_weight});
        list.push_back({"family_name", level(family_levels, c.family).name, c.family_weight});
    }
    list.push_back({"date_of_birth", level(born_levels, c.born).name, level(born_levels, c.born).weight});
    list.push_back({"place", level(where_levels, c.where).name, c.where_weight});
    list.push_back({"sex", level(sex_levels, c.sex).name, level(sex_levels, c.sex).weight});
    list.push_back({"identifier", level(identifier_levels, c.identifier).name,
                    level(identifier_levels, c.identifier).weight});
    return list;
}

Millibits stranger_score(const Comparison& c, Millibits prior) {
    return prior + c.given_weight + c.family_weight + level(born_levels, c.born).weight + c.where_weight +
           level(sex_levels, c.sex).weight + level(identifier_levels, c.identifier).weight;
}

Millibits score(const Comparison& c, Millibits prior) {
    const auto stranger = stranger_score(c, prior);
    return family_or_place_agrees(c) ? std::min(stranger, household_score(c)) : stranger;
}

Millibits score_at_most(const Comparison& c, Millibits prior) {
    return prior + c.given_weight + c.family_weight + level(born_levels, c.born).weight +
           level(where_levels, Where::uprn).weight + level(sex_levels, c.sex).weight +
           level(identifier_levels, c.identifier).weight;
}

bool place_agrees(const Comparison& c) {
    return c.where <= Where::near_postcode || (c.where == Where::town && c.where_weight >= telling_place);
}

namespace {

/// Whole date, family name and the very house agree, and a twin is not to be expected there.
bool alone_of_that_date(const Comparison& c) {
    return c.left_home && c.born == Born::exact && c.family <= Family::near && c.where <= Where::full &&
           c.sex != Sex::differs;
}

/// The given name is one that a twin would not have, or one of which as much agrees as was written. Of twins in one
/// house few share the first letter, and the house holds no other child of that date.
bool given_is_own(const Comparison& c) {
    if (c.given <= Given::shared) return !c.look_alike;
    if (c.given == Given::initial) {
        return c.where <= Where::street ||
               (c.born == Born::exact && c.family <= Family::near && c.where <= Where::near_postcode);
    }
    return c.given == Given::similar && !c.look_alike && c.family <= Family::similar &&
           c.where <= Where::street && c.sex == Sex::same;
}

/// One part of the date differs and nothing else: a mistake of whoever wrote it. A parent's date differs in more. In the
/// very house nobody else of that name and about that age lives, so that more of the date may differ.
bool date_mistaken(const Comparison& c) {
    if (c.given > Given::near || c.look_alike || c.years_apart >= generation_years) return false;
    if (c.born == Born::near_year)
        return c.given == Given::exact && c.family <= Family::near && c.where <= Where::full;
    return (c.born == Born::one_part || c.born == Born::partial_part) && c.family <= Family::similar &&
           c.where <= Where::street;
}

/// The number speaks for so much that the rest need only not speak of another child of the family, whose number
/// somebody took by mistake: name or date, and two facts in all.
bool identified(const Comparison& c) {
    if (c.identifier != Identifier::same) return false;
    const bool given = c.given <= Given::similar;
    const bool born = c.born <= Born::one_part;
    const bool family = c.family <= Family::similar;
    return (given || born) && given + born + family + (c.where <= Where::postcode) >= 2;
}

/// Two numbers for a child of whom all else agrees: numbers are replaced, temporary at first, or given twice.
bool all_else_agrees(const Comparison& c) {
    return c.given == Given::exact && c.family <= Family::near && c.born == Born::exact &&
           c.where <= Where::postcode && c.sex != Sex::differs;
}

/// Without a date it takes the whole name and the very house: nobody else in it bears that name but a parent, and
/// the score against the household counts that one.
bool sure_without_date(const Comparison& c) {
    return c.given == Given::exact && c.family <= Family::near && c.where <= Where::full &&
           c.sex != Sex::differs;
}

/// An inexact date needs a place beside it. Where many dates are estimates, 1 January is shared by whole communities,
/// who share names and a town as well: it needs an address.
bool date_uncertain(const Comparison& c) {
    if (c.born == Born::exact || c.born == Born::missing) return false;
    const bool estimate =
        c.born == Born::exact_new_year || c.born == Born::year_new_year || c.born == Born::near_new_year;
    return estimate ? c.where > Where::postcode : !place_agrees(c);
}

/// Neighbouring digits, or day and month, in each other's place are all that differs: hardly anybody's date is so near to
/// another's, while one digit off are some thirty others.
bool order_mistaken(const Comparison& c) {
    return c.given == Given::exact && c.family == Family::exact && !c.swapped &&
           (c.born == Born::digits_swapped || c.born == Born::day_month_swapped) &&
           c.where != Where::elsewhere && c.sex != Sex::differs;
}

/// An estimated date, a whole name and the neighbourhood: enough where few of those with such dates are called so.
bool estimate_alone(const Comparison& c) {
    return c.estimate_of_few && c.sex != Sex::differs && (place_agrees(c) || c.where == Where::sector);
}

/// What the names say against acting at once.
std::optional<Hold> held_by_names(const Comparison& c) {
    if (c.swapped && (c.given > Given::near || c.family > Family::near))
        return Hold{"One name agrees, in the other's place, and the other differs.", never};
    const bool no_twin = alone_of_that_date(c);
    if (c.given == Given::missing && !no_twin) return Hold{"There is no first name to compare.", never};
    if (c.look_alike && !no_twin)
        return Hold{"The first names look alike, but each is a name of its own.", never};
    if (c.given != Given::missing && !c.look_alike && !given_is_own(c)) {
        const bool perhaps_twin = c.family <= Family::shared && c.born <= Born::one_digit;
        return Hold{perhaps_twin ? "Same family name and date of birth, another first name: perhaps a twin."
                                 : "The first name differs.",
                    never};
    }
    if (c.family >= Family::similar && !c.swapped && c.where > Where::street)
        return Hold{"The family name differs.", lifted};
    if (c.family > Family::exact && !c.swapped && c.where > Where::postcode) {
        return Hold{"The family name is spelt differently and no address agrees.",
                    c.family == Family::near ? lifted : never};
    }
    if (c.sex == Sex::differs && c.given != Given::exact)
        return Hold{"The sex and the first name differ.", never};
    return std::nullopt;
}

}  // namespace

std::optional<Hold> held_back(const Comparison& c) {
    if (c.identifier == Identifier::differs && !all_else_agrees(c))
        return Hold{"Another pupil number or NHS number is held for the child.", never};
    if (identified(c)) return std::nullopt;
    if (date_conflicts(c.born) && !date_mistaken(c)) {
        return Hold{"Same name, another date of birth: perhaps a parent or a namesake.",
                    c.born == Born::one_part && c.years_apart < generation_years ? lifted : never};
    }
    if (auto hold = held_by_names(c)) return hold;
    if (c.born == Born::missing && !sure_without_date(c))
        return Hold{"There is no date of birth to compare.", never};
    if (date_uncertain(c)) {
        return Hold{"The date of birth is uncertain and the address does not agree.",
                    order_mistaken(c) || estimate_alone(c) ? lifted : never};
    }
    return std::nullopt;
}

std::vector<std::string> in_words(const Comparison& c) {
    std::vector<std::string> out;
    if (c.swapped) {
        out.emplace_back(swapped_exact.words);
    } else {
        say(out, given_levels, static_cast<std::size_t>(c.given));
        say(out, family_levels, static_cast<std::size_t>(c.family));
    }
    if (c.other_name) out.emplace_back("The names agree by an alias, former or preferred name.");
    say(out, born_levels, static_cast<std::size_t>(c.born));
    say(out, where_levels, static_cast<std::size_t>(c.where));
    say(out, sex_levels, static_cast<std::size_t>(c.sex));
    say(out, identifier_levels, static_cast<std::size_t>(c.identifier));
    return out;
}

namespace {

template <class Levels> const char* found_in(const Levels& levels, const std::string& name) {
    const auto found = std::ranges::find_if(levels, [&](const Level& each) { return name == each.name; });
    if (found != levels.end() && *found->words != '\0') return found->words;
    if (name == "missing") return "One side does not say.";
    if (name == "same") return "Agrees.";
    return name == "district" ? "The first half of the postcode agrees." : "Compared.";
}

}  // namespace

std::pair<const char*, const char*> finding(const Evidence& evidence) {
    const auto& [field, name, weight] = evidence;
    if (field == "given_name") return {"First names", found_in(given_levels, name)};
    if (field == "family_name") return {"Surname", found_in(family_levels, name)};
    if (field == "name") return {"Names", swapped_exact.words};
    if (field == "date_of_birth") return {"Date of birth", found_in(born_levels, name)};
    if (field == "place") return {"Address", found_in(where_levels, name)};
    if (field == "sex") return {"Sex", found_in(sex_levels, name)};
    if (field == "identifier") return {"Pupil or NHS number", found_in(identifier_levels, name)};
    if (field == "school") return {"School", "It is the school that police were told of."};
    if (field == "address")
        return {"Address",
                name == "former" ? "Police attended a former address." : "Police attended the address."};
    if (field == "prior")
        return {"To begin with", "How likely it is of any record, before anything is compared."};
    return {"Other", "Compared."};
}

Millibits prior_of(const Pool& pool, Millibits share_on_register) {
    return share_on_register - log2_millibits(pool.size() + 500, 1);
}

std::string weights_text() {
    std::string out;
    list(out, "given_name", given_levels);
    list(out, "family_name", family_levels);
    list(out, "date_of_birth", born_levels);
    list(out, "place", where_levels);
    list(out, "sex", sex_levels);
    list(out, "identifier", identifier_levels);
    for (const auto value : {swapped_exact.weight,
                             swapped_near,
                             swapped_less,
                             crosswise_other_max,
                             household_prior,
                             household_given_exact,
                             household_born_exact,
                             household_near_year,
                             household_born_exact_grown,
                             generation_years,
                             estimate_nearby,
                             estimate_alone_from,
                             name_weight_min,
                             name_weight_max,
                             near_less,
                             lifted,
                             town_weight_min,
                             town_weight_max,
                             town_beside_other_postcode,
                             telling_place}) {
        out += std::to_string(value) + "\n";
    }
    for (const auto value :
         {new_year_counts_believed, new_year_given_believed, new_year_family_believed,
          new_year_years_believed, new_year_weight, others_for_each, counts_believed, given_bearers_believed,
          family_bearers_believed, residents_believed, towns_believed}) {
        out += std::to_string(value) + "\n";
    }
    return out;
}

}  // namespace flagpost::match
