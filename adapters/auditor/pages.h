/// The audit desk's pages over one export (overview, timeline, explanations, open notices, proofs).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>

#include "adapters/auditor/charts.h"
#include "adapters/auditor/findings.h"
#include "adapters/auditor/replay.h"
#include "adapters/auditor/workbench.h"
#include "adapters/web/site.h"

namespace flagpost::auditor {

/// "auditor": whoever may sign in sees all of the desk.
const std::set<std::string>& roles();

/// What a desk works on. It shows what bodies say of rules and evidence, and no more of them.
struct DeskOf {
    std::filesystem::path directory;  // the export
    log::Policy policy;
    std::shared_ptr<const crypto::BoxKey> key;  // that opens bodies; may be null
    std::string why;                            // the case, for the log's record of readings
    std::string tool = "policy.txt";            // file of the policy or key, for the command that is shown
    std::vector<Chart> notices{};               // what authorities counted: never from the log
};

inline constexpr std::size_t rows_a_page = 50;
inline constexpr auto look_patience =
    std::chrono::milliseconds{1000};  // a page waits so long for what may take longer
inline constexpr std::uint64_t entries_looked_at_max = 200'000;  // for one page of the timeline
inline constexpr std::size_t thread_rows_max = 1'000;
inline constexpr std::size_t findings_shown_max = 200;
inline constexpr std::size_t open_shown_max = 500;

namespace words {
inline constexpr auto verifies = "The log verifies.";
inline constexpr auto does_not_verify = "The log does not verify.";
inline constexpr auto own_check = "Checked on this machine, not by the broker.";
inline constexpr auto no_key =
    "This desk holds no key, so bodies stay shut: it can say who was told what, when and under which rule, "
    "but not on "
    "what evidence.";
inline constexpr auto public_export =
    "This is a public export: it has no bodies, so it can say who was told what, when and under which rule, "
    "but not on "
    "what evidence. Ask for a sealed one to see that.";
inline constexpr auto with_key =
    "Of bodies this desk shows rules, evidence and deadlines. What was said about a child is not shown on "
    "any page.";
inline constexpr auto not_shown =
    "This could not be written down as a reading, and what is not written down is not shown.";
}  // namespace words

class Pages {
public:
    /// Registers its pages with the site and begins to check the export.
    Pages(web::Site& site, Clock& clock, DeskOf desk);

private:
    using Found = std::shared_ptr<const Findings>;
    struct Asked;  // of the timeline, as typed

    web::Response overview(const web::Visit& visit);
    web::Response check_again(const web::Visit& visit);
    web::Response timeline(const web::Visit& visit);
    web::Response explanation(const web::Visit& visit);
    web::Response explain_one(const web::Visit& visit, const std::string& incident);
    web::Response open(const web::Visit& visit);
    web::Response entry(const web::Visit& visit);
    web::Response proof(const web::Visit& visit, bool leaf);
    web::Response of_export(const web::Visit& visit);
    web::Response numbers(const web::Visit& visit, bool in_time);

    void begin_check();
    Workbench::State look_at_check(std::chrono::milliseconds patience = {});
    Found found();
    std::string standing(Instant now);
    /// Writes down that the visitor reads `what`; the answer to give instead where that fails.
    std::optional<web::Response> unwritten(const web::Visit& visit, const std::string& what);
    web::Response working(const web::Visit& visit, const Workbench::State& state, const std::string& what,
                          const web::Page& frame);
    /// Entries that hold a version of an incident; nothing while they are looked for.
    std::optional<std::set<std::uint64_t>> entries_of(const std::string& incident, Workbench::State& state);
    Workbench::State explained(const std::string& incident);
    void fill_verdict(web::View& view, const web::Visit& visit, const Findings& findings);
    std::vector<web::View> facts_of(const Findings& findings) const;
    std::vector<web::View> rows_of(const Findings& findings) const;
    std::string sight() const;
    std::optional<std::uint64_t> index_in(const web::Visit& visit) const;

    web::Site& site_;
    Clock& clock_;
    DeskOf desk_;
    bool sealed_;
    Workbench bench_;  // last: its work uses what is above
};

}  // namespace flagpost::auditor
