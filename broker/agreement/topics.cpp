#include "broker/agreement/topics.h"

#include <algorithm>
#include <array>

namespace flagpost::agreement {
namespace {

// A row says: a topic made of this prefix and one more code belongs to the agency of that kind and code.
struct OwnedByCode {
    std::string_view prefix;
    std::string_view kind;
    bool delegable;
    std::string_view rule;
};

constexpr std::array publish_rows{
    OwnedByCode{"flags/",                     "social-care", true,  "flags/<la> is for social-care/<la> or who acts for it"    },
    OwnedByCode{"incidents/",                 "police",      false, "incidents/<force> is for police/<force>"                  },
    OwnedByCode{"rolls/school/",              "school",      true,  "rolls/school/<urn> is for school/<urn> or who acts for it"},
    OwnedByCode{"rolls/not-in-school/",       "education",   true,
                "rolls/not-in-school/<la> is for education/<la> or who acts for it"                                            },
    OwnedByCode{"rolls/",                     "education",   true,  "rolls/<la> is for education/<la> or who acts for it"      },
    OwnedByCode{"reference/terms/school/",    "school",      true,
                "reference/terms/school/<urn> is for school/<urn> or who acts for it"                                          },
    OwnedByCode{"reference/contacts/school/", "school",      true,
                "reference/contacts/school/<urn> is for school/<urn> or who acts for it"                                       },
    OwnedByCode{"operations/",                "operator",    false, "operations/<name> is for operator/<name>"                 },
    OwnedByCode{"bench/",                     "bench",       false, "bench/<n> is for bench/<n>"                               },
};

constexpr std::array subscribe_rows{
    OwnedByCode{"notices/social-care/", "social-care", true,
                "notices/social-care/<la> is for social-care/<la> or who acts for it"                           },
    OwnedByCode{"notices/school/",      "school",      true,
                "notices/school/<urn> is for school/<urn> or who acts for it"                                   },
    OwnedByCode{"notices/education/",   "education",   true,
                "notices/education/<la> is for education/<la> or who acts for it"                               },
    OwnedByCode{"notices/police/",      "police",      false, "notices/police/<force> is for police/<force>"    },
    OwnedByCode{reviews_prefix,         "social-care", false, "reviews/<la> is for that authority's review desk"},
    OwnedByCode{"markers/",             "police",      false, "markers/<force> is for police/<force>"           },
    OwnedByCode{"questions/",           "police",      false, "questions/<force> is for police/<force>"         },
    OwnedByCode{"bench/",               "bench",       false, "bench/<n> is for bench/<n>"                      },
};

constexpr std::array<std::string_view, 5> reference_topics{
    "reference/gias", "reference/links", "reference/bank-holidays", "reference/terms", "reference/contacts"};

template <class Rows> std::optional<Right> owner_by_code(const Rows& rows, std::string_view topic) {
    for (const auto& row : rows) {
        if (!topic.starts_with(row.prefix)) continue;
        const auto code = topic.substr(row.prefix.size());
        if (code.empty() || code.find('/') != std::string_view::npos) continue;
        return Right{row.rule, row.kind, code, row.delegable};
    }
    return std::nullopt;
}

// A topic made of this prefix and an agency's full name belongs to that agency.
std::optional<Right> owner_by_name(std::string_view prefix, std::string_view rule, std::string_view topic) {
    if (!topic.starts_with(prefix)) return std::nullopt;
    const auto agency = topic.substr(prefix.size());
    const auto slash = agency.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == agency.size() ||
        agency.find('/', slash + 1) != std::string_view::npos)
        return std::nullopt;
    return Right{rule, agency.substr(0, slash), agency.substr(slash + 1), false};
}

}  // namespace

std::optional<Right> right_to_publish(std::string_view topic) {
    if (std::ranges::find(reference_topics, topic) != reference_topics.end())
        return Right{"reference/<name> is for operator/<name>", "operator", "", false};
    if (const auto owner = owner_by_code(publish_rows, topic)) return owner;
    if (const auto owner = owner_by_name("orders/", "orders/<agency> is for that agency", topic))
        return owner;
    return owner_by_name("receipts/", "receipts/<agency> is for that agency", topic);
}

std::optional<Right> right_to_subscribe(std::string_view topic) {
    if (const auto owner = owner_by_code(subscribe_rows, topic)) return owner;
    if (const auto owner = owner_by_name("reports/", "reports/<agency> is for that agency", topic))
        return owner;
    return owner_by_name("results/", "results/<agency> is for that agency", topic);
}

void add_mailboxes_of(const AgencyId& agency, std::set<std::string>& topics) {
    for (const auto& row : subscribe_rows)
        if (row.kind == agency.kind()) topics.insert(std::string{row.prefix} + std::string{agency.code()});
}

}  // namespace flagpost::agreement
