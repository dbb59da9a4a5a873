#include "adapters/social_care/csc_api.h"

#include <algorithm>

#include "adapters/client/text.h"
#include "adapters/social_care/flag_rows.h"
#include "adapters/social_care/plans.h"

namespace flagpost::social_care {
namespace {

using desk::Fields;
using desk::Findings;
using nlohmann::json;

constexpr std::size_t depth_max = 32;
constexpr std::size_t child_size_max = 1u << 20;  // bytes
constexpr std::size_t episodes_max = 500, details_max = 500;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Finds where values begin and end by their brackets and quotes alone; what stands between is read later, child by child.
class Cutter {
public:
    explicit Cutter(std::string_view text) : text_{text} {}

    void skip_blanks() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    }
    bool at_end() const { return at_ == text_.size(); }
    char next() const { return at_end() ? '\0' : text_[at_]; }
    bool take(char c) {
        skip_blanks();
        if (next() != c) return false;
        ++at_;
        return true;
    }
    std::size_t at() const { return at_; }

    /// The value that begins here; nothing if it does not end, or is nested too deep.
    std::optional<std::string_view> value() {
        skip_blanks();
        const std::size_t begin = at_;
        const char first = next();
        const bool whole = first == '"'                   ? skip_text()
                           : first == '{' || first == '[' ? skip_brackets()
                                                          : skip_word();
        if (!whole) return std::nullopt;
        return text_.substr(begin, at_ - begin);
    }

private:
    bool skip_text() {
        for (++at_; !at_end(); ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                ++at_;
            } else if (text_[at_] == '"') {
                ++at_;
                return true;
            }
        }
        return false;
    }
    bool skip_brackets() {
        std::size_t depth = 0;
        while (!at_end()) {
            const char c = text_[at_];
            if (c == '"') {
                if (!skip_text()) return false;
                continue;
            }
            ++at_;
            if (c == '{' || c == '[') {
                if (++depth > depth_max) return false;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                return true;
            }
        }
        return false;
    }
    bool skip_word() {
        const std::size_t begin = at_;
        while (!at_end() && !is_blank(text_[at_]) &&
               std::string_view{",:{}[]\""}.find(text_[at_]) == std::string_view::npos)
            ++at_;
        return at_ > begin;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

struct Member {
    std::string_view name, value;
    std::size_t at;  // of the value
};

/// The members of an object, without what lies in them.
std::optional<std::vector<Member>> members_of(std::string_view object) {
    Cutter cutter{object};
    std::vector<Member> members;
    if (!cutter.take('{')) return std::nullopt;
    if (cutter.take('}')) return members;
    do {
        cutter.skip_blanks();
        if (cutter.next() != '"') return std::nullopt;
        const auto name = cutter.value();
        if (!name || !cutter.take(':')) return std::nullopt;
        cutter.skip_blanks();
        const std::size_t at = cutter.at();
        const auto value = cutter.value();
        if (!value) return std::nullopt;
        members.push_back({name->substr(1, name->size() - 2), *value, at});
    } while (cutter.take(','));
    if (!cutter.take('}')) return std::nullopt;
    return members;
}

std::string_view without_quotes(std::string_view value) {
    return value.size() >= 2 && value.front() == '"' ? value.substr(1, value.size() - 2) : value;
}

class ChildrenOf {
public:
    explicit ChildrenOf(std::string_view text) : text_{text} {}

    Result<JsonChildren> cut() {
        Cutter cutter{text_};
        cutter.skip_blanks();
        if (cutter.next() == '[') {
            const auto whole = cutter.value();
            if (!whole) return unended();
            if (const auto done = list(*whole, cutter.at() - whole->size()); !done)
                return tl::unexpected{done.error()};
            cutter.skip_blanks();
            if (!cutter.at_end()) return refuse(Reason::malformed, "file: something behind the list");
            return std::move(children_);
        }
        while (!cutter.at_end()) {
            if (cutter.next() != '{')
                return refuse(Reason::malformed, "file: " + place(cutter.at()) + ": no object");
            const std::size_t at = cutter.at();
            const auto one = cutter.value();
            if (!one) return unended();
            const auto wrapped = children_.children.empty() ? wrapper(*one, at) : false;
            if (!wrapped) return tl::unexpected{wrapped.error()};
            if (!*wrapped) add(*one, at);
            cutter.skip_blanks();
        }
        return std::move(children_);
    }

private:
    static tl::unexpected<Refusal> unended() {
        return refuse(Reason::malformed, "file: it ends early, or is nested too deep");
    }

    /// Whether this object only holds the list of children; their places are then known.
    Result<bool> wrapper(std::string_view object, std::size_t at) {
        const auto members = members_of(object);
        if (!members) return refuse(Reason::malformed, "file: " + place(at) + ": no JSON object");
        const auto is_list = [](const Member& member) {
            return member.name == "Children" || member.name == "children";
        };
        const auto found = std::ranges::find_if(*members, is_list);
        if (found == members->end()) return false;
        for (const Member& member : *members)
            if (member.name == "la_code") children_.la_code = without_quotes(member.value);
        if (found->value.starts_with('{'))
            add(found->value, at + found->at);
        else if (const auto done = list(found->value, at + found->at); !done)
            return tl::unexpected{done.error()};
        return true;
    }

    Result<void> list(std::string_view whole, std::size_t at) {
        Cutter cutter{whole};
        if (!cutter.take('[')) return refuse(Reason::malformed, "file: Children is no list");
        if (cutter.take(']')) return {};
        do {
            cutter.skip_blanks();
            const std::size_t begin = cutter.at();
            const auto one = cutter.value();
            if (!one || !one->starts_with('{'))
                return refuse(Reason::malformed, "file: " + place(at + begin) + ": no object");
            add(*one, at + begin);
        } while (cutter.take(','));
        if (!cutter.take(']'))
            return refuse(Reason::malformed,
                          "file: " + place(at + cutter.at()) + ": no comma between objects");
        return {};
    }

    void add(std::string_view child, std::size_t at) { children_.children.push_back({child, line_at(at)}); }

    std::string place(std::size_t at) { return "line " + std::to_string(line_at(at)); }

    /// Places are asked for in rising order.
    std::uint64_t line_at(std::size_t at) {
        if (at > counted_)
            line_ += static_cast<std::uint64_t>(std::count(text_.data() + counted_, text_.data() + at, '\n'));
        counted_ = std::max(counted_, at);
        return line_;
    }

    std::string_view text_;
    std::size_t counted_ = 0;
    std::uint64_t line_ = 1;
    JsonChildren children_;
};

bool purged(const Fields& fields) { return fields.truth("purge").value_or(false); }

std::vector<Plan> plans_of(const std::vector<Fields>& episodes, bool purged_ones) {
    std::vector<Plan> plans;
    for (const Fields& episode : episodes) {
        const bool gone = purged(episode);
        const auto add = [&](const char* name, schemas::FlagKind kind) {
            for (const Fields& plan : episode.objects(name, details_max))
                if ((gone || purged(plan)) == purged_ones)
                    plans.push_back({kind, plan.date("start_date"), plan.date("end_date"), ""});
        };
        add("child_protection_plans", schemas::FlagKind::child_protection_plan);
        add("child_looked_after_placements", schemas::FlagKind::looked_after);
    }
    return plans;
}

/// Who works with the child now; of several the one who began last.
std::string worker_of(const std::vector<Fields>& episodes) {
    std::string worker, since;
    for (const Fields& episode : episodes)
        for (const Fields& one : episode.objects("care_worker_details", details_max)) {
            const std::string start = one.date("start_date");
            if (!one.date("end_date").empty() || (start < since && !worker.empty())) continue;
            worker = one.text("worker_id");
            since = start;
        }
    return worker;
}

void say_origins(Findings& findings) {
    static const std::vector<std::pair<const char*, const char*>> origins{
        {"LAchildID",               "la_child_id"                         },
        {"GivenNames",              "child_details.first_name"            },
        {"FamilyName",              "child_details.surname"               },
        {"PersonBirthDate",         "child_details.date_of_birth"         },
        {"ExpectedPersonBirthDate", "child_details.expected_date_of_birth"},
        {"Sex",                     "child_details.sex"                   },
        {"UPN",                     "child_details.unique_pupil_number"   },
        {"CPPstartDate",            "the plan's start_date"               },
        {"CPPendDate",              "the plan's end_date"                 }
    };
    for (const auto& [name, origin] : origins) findings.came_from(name, origin);
}

/// The child under the names of flag_rows.h; nothing where there is no flag to speak of.
std::optional<json> row_of(const Fields& child, const FlagSource& source) {
    const Fields details = child.object("child_details");
    const auto episodes = child.objects("social_care_episodes", episodes_max);
    const bool gone = purged(child) || purged(details);
    json row{
        {"LAchildID",               child.text("la_child_id")             },
        {"GivenNames",              details.text("first_name")            },
        {"FamilyName",              details.text("surname")               },
        {"PersonBirthDate",         details.text("date_of_birth")         },
        {"ExpectedPersonBirthDate", details.text("expected_date_of_birth")},
        {"Sex",                     details.text("sex")                   },
        {"UPN",                     details.text("unique_pupil_number")   },
        {"AllocatedWorker",         worker_of(episodes)                   },
    };
    if (const auto postcode = details.text("postcode"); !postcode.empty())
        row["Addresses"] = json::array({json{{"postcode", postcode}}});
    const bool born = !row["PersonBirthDate"].get_ref<const std::string&>().empty();
    auto plan = gone ? std::nullopt : standing_plan(plans_of(episodes, false));
    if (!plan) {
        // What was said by mistake is taken back, which is not the same as having ended.
        auto mistaken = standing_plan(plans_of(episodes, true));
        if (!mistaken && gone)
            mistaken = Plan{schemas::FlagKind::child_protection_plan, source.today, {}, {}};
        if (!mistaken) return std::nullopt;
        if (mistaken->start.empty() || mistaken->start > source.today) mistaken->start = source.today;
        row["DeleteDate"] = source.today;
        plan = mistaken;
    }
    put_plan(*plan, born, row);
    return row;
}

}  // namespace

Result<JsonChildren> cut_children(std::string_view text) { return ChildrenOf{text}.cut(); }

Result<FlagFile> read_csc_api(const std::string& text, const FlagSource& source) {
    const auto cut = cut_children(text);
    if (!cut) return tl::unexpected{cut.error()};
    if (cut->children.empty()) return refuse(Reason::malformed, "file: no child in it");
    std::string la_code = source.dfe_la.empty() ? cut->la_code : source.dfe_la;
    if (!cut->la_code.empty() && cut->la_code != la_code)
        return refuse(Reason::malformed, "la_code: another authority's");
    FlagFile file{FlagFormat::csc_api, false, 0, {}};
    desk::Preparation preparation;
    for (const JsonChild& each : cut->children) {
        const std::string kept{each.text.substr(0, child_size_max)};
        if (each.text.size() > child_size_max) {
            preparation.reject(each.line, "record: too large", kept);
            continue;
        }
        const json object = json::parse(each.text, nullptr, false);
        if (!object.is_object()) {
            preparation.reject(each.line, "record: no JSON object", kept);
            continue;
        }
        Findings findings;
        const Fields child{object, "", findings};
        say_origins(findings);
        if (const auto code = child.text("la_code"); !code.empty()) {
            if (la_code.empty()) la_code = code;
            if (code != la_code) child.fault("la_code", "another authority's");
        }
        auto row = row_of(child, source);
        if (!row && findings.usable()) {
            ++file.without_flag;
            continue;
        }
        desk::RowRecord record;
        if (row) {
            if (source.details != nullptr) source.details->add_to(*row, findings);
            const auto flag = read_flag(*row, source.la, findings);
            record.key = flag.la_child_id;
            if (findings.usable()) record.bytes = wire::pack<schemas::Flag>(flag);
        }
        preparation.add(each.line, std::move(record), findings, kept);
    }
    file.prepared = std::move(preparation).finish();
    return file;
}

}  // namespace flagpost::social_care
