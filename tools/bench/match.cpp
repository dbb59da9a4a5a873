// Mode match: no broker; how long a core takes to look one person up among many, and what the index of them costs.
#include "broker/match/match.h"

#include <malloc.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

#include "broker/register/given_names.h"
#include "tools/bench/measure.h"
#include "tools/bench/modes.h"

// jemalloc's own account; not there in builds with sanitizers.
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* given,
                       std::size_t given_size) __attribute__((weak));

namespace flagpost::bench {
namespace {

using registry::Register;

constexpr std::int64_t when_us = 1'741'125'600'000'000;  // 4 March 2025: one run is like another
constexpr std::size_t families = 20'000;
constexpr const char* letters = "abcdefghijklmnoprstuvwyz";

/// Children as they are spread in England: names few bear and names many bear, two or three to an address.
class People {
public:
    People() {
        std::istringstream names{registry::given_names_text()};
        for (std::string name; names >> name;) given_.push_back(name);
    }

    std::unique_ptr<schemas::PersonValue> person() {
        auto made = std::make_unique<schemas::PersonValue>();
        made->given_names = given_[spread(given_.size())];
        if (pick(5) == 0) made->given_names += " " + given_[spread(given_.size())];
        made->family_name = family(spread(families));
        if (pick(20) == 0) made->family_name += "-" + family(spread(families));
        made->date_of_birth = date();
        made->sex = pick(2) == 0 ? "M" : "F";
        return made;
    }
    std::unique_ptr<schemas::PlaceValue> place(std::size_t number) {
        auto made = std::make_unique<schemas::PlaceValue>();
        made->line_1 = std::to_string(1 + number % 80) + " " + family(number / 80 % families) + " Road";
        char postcode[16];
        std::snprintf(postcode, sizeof postcode, "Z%c%zu %zu%c%c", letters[number / 16'000 % 24] - 32,
                      1 + number / 1600 % 10, number / 160 % 10, letters[number / 16 % 24] - 32,
                      letters[number / 384 % 24] - 32);
        made->postcode = postcode;
        return made;
    }
    /// As an officer hears and types it: a letter wrong, a date wrong, nothing wrong.
    std::unique_ptr<schemas::PersonValue> heard(const schemas::PersonValue& person) {
        auto made = std::make_unique<schemas::PersonValue>(person);
        switch (pick(6)) {
            case 0:
                made->family_name[pick(made->family_name.size())] = letters[pick(24)];
                break;
            case 1:
                made->given_names[pick(made->given_names.size())] = letters[pick(24)];
                break;
            case 2:
                made->date_of_birth = date();
                break;
            default:
                break;
        }
        return made;
    }
    std::size_t pick(std::size_t below) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return (state_ >> 33) % below;
    }

private:
    /// Mostly small numbers: about one in twenty is below a ten-thousandth of `count`.
    std::size_t spread(std::size_t count) {
        const double part = static_cast<double>(pick(1u << 30)) / (1u << 30);
        return static_cast<std::size_t>(static_cast<double>(count) * part * part * part);
    }
    static std::string family(std::size_t number) {
        static constexpr const char* syllables[] = {"ash",  "ber", "cal", "den", "el",  "far", "gar", "hol",
                                                    "in",   "jor", "kel", "lan", "mor", "nor", "os",  "par",
                                                    "quin", "ral", "sho", "tor", "ul",  "ver", "wal", "yar",
                                                    "zan",  "bro", "cra", "dri", "ste", "tho"};
        constexpr std::size_t count = std::size(syllables);
        return std::string{syllables[number % count]} + syllables[number / count % count] +
               (number >= count * count ? syllables[number / count / count % count] : "");
    }
    std::string date() {
        char text[16];
        std::snprintf(text, sizeof text, "%04zu-%02zu-%02zu", 2007 + pick(18), 1 + pick(12), 1 + pick(28));
        return text;
    }

    std::vector<std::string> given_;
    std::uint64_t state_ = 1;
};

struct Known {
    Register index;
    double seconds = 0;      // of one core, to fill it
    double records_mib = 0;  // the records beside what they are made from
    double mib = 0;          // the index
};

double allocated_mib() {
    if (mallctl) {
        std::uint64_t epoch = 1;
        std::size_t bytes = 0, size = sizeof bytes;
        mallctl("epoch", nullptr, nullptr, &epoch, sizeof epoch);
        mallctl("stats.allocated", &bytes, &size, nullptr, 0);
        return static_cast<double>(bytes) / (1 << 20);
    }
    const auto held = mallinfo2();
    return static_cast<double>(held.uordblks + held.hblkhd) / (1 << 20);
}

Known fill(People& people, std::size_t count) {
    Known known;
    std::vector<schemas::FlagValue> flags(count);
    for (std::size_t i = 0; i < count; ++i) {
        flags[i].la = "E10000024";
        flags[i].la_child_id = "M" + std::to_string(i);
        flags[i].child = people.person();
        flags[i].start_date = "2024-01-01";
        flags[i].places.push_back(std::make_unique<schemas::DatedPlaceValue>());
        flags[i].places.back()->place = people.place(people.pick(count / 2 + 1));
        flags[i].places.back()->from = "2020-01-01";
    }
    // What the records themselves take is no part of the index: a map like the register's, and what they point to.
    const auto empty = allocated_mib();
    {
        std::map<registry::FlagKey, registry::HeldFlag> records;
        for (auto& flag : flags) {
            auto key = registry::key_of(flag);
            records.emplace(std::move(key), registry::HeldFlag{std::move(flag), {}});
        }
        known.records_mib = allocated_mib() - empty;
        auto record = records.begin();
        for (auto& flag : flags) flag = std::move((record++)->second.value);
    }
    const auto start = thread_cpu_ns();
    for (auto& flag : flags) known.index.set_flag(std::move(flag), from_us(when_us));
    known.seconds = static_cast<double>(thread_cpu_ns() - start) / 1e9;
    known.mib = allocated_mib() - empty - known.records_mib;
    return known;
}

/// One person: half of them on the register, as somebody else wrote them down.
schemas::IncidentValue ask(People& people, const Register& known, std::size_t count) {
    schemas::IncidentValue incident;
    incident.occurred_us = when_us;
    auto involved = std::make_unique<schemas::IncidentPersonValue>();
    const auto* flag = known.flag({"E10000024", "M" + std::to_string(people.pick(count))});
    const bool on_register = people.pick(2) == 0;
    involved->person = on_register ? people.heard(*flag->value.child) : people.person();
    if (people.pick(3) != 0)
        involved->home = on_register ? std::make_unique<schemas::PlaceValue>(*flag->value.places[0]->place)
                                     : people.place(people.pick(count / 2 + 1));
    incident.people.push_back(std::move(involved));
    return incident;
}

}  // namespace

int run_match(const Options& options) {
    std::istringstream counts{options.people};
    for (std::string each; std::getline(counts, each, ',');) {
        const auto count = std::stoul(each);
        People people;
        const auto known = fill(people, count);
        Durations took;
        std::uint64_t compared = 0, found = 0;
        std::int64_t spent_ns = 0;
        const auto end = now_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
        while (now_ns() < end) {
            const auto incident = ask(people, known.index, count);
            const auto start = thread_cpu_ns();
            const auto decision = match::decide(known.index, incident, from_us(when_us));
            const auto spent = thread_cpu_ns() - start;
            took.add(spent);
            spent_ns += spent;
            compared += decision.candidates;
            found += decision.flags.empty() ? 0 : 1;
        }
        const auto queries = static_cast<double>(took.count());
        print({
            {"mode",          "match"                                                  },
            {"people",        count                                                    },
            {"queries",       took.count()                                             },
            {"queries_per_s", std::round(queries * 1e9 / static_cast<double>(spent_ns))},
            {"p50_us",        took.us_at(0.5)                                          },
            {"p99_us",        took.us_at(0.99)                                         },
            {"p999_us",       took.us_at(0.999)                                        },
            {"compared",      rounded(static_cast<double>(compared) / queries)         },
            {"found",         rounded(static_cast<double>(found) / queries)            },
            {"build_s",       rounded(known.seconds)                                   },
            {"index_mib",     std::round(known.mib)                                    }
        });
    }
    return 0;
}

}  // namespace flagpost::bench
