#include "adapters/auditor/complete.h"

#include <date/date.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "adapters/auditor/leaves.h"
#include "adapters/auditor/printable.h"

namespace flagpost::auditor {
namespace {

using log::Leaf;
using log::LeafKind;

class Count {
public:
    void add(std::uint64_t index, const Leaf& leaf) {
        ++result_.kinds[schemas::EnumNameLeafKind(leaf.kind)];
        if (!leaf.message) return;
        if (leaf.kind == LeafKind::notice_issued) {
            ++result_.issued;
            open_.insert_or_assign(*leaf.message, OpenNotice{*leaf.message, index, leaf.time, leaf.recipient,
                                                             leaf.topic, leaf.number, leaf.rule});
        }
        // Put back after nobody could store it, a notice stands in its mailbox under another number.
        if (leaf.kind == LeafKind::reinserted)
            if (const auto owed = open_.find(*leaf.message); owed != open_.end())
                owed->second.number = leaf.number;
        const bool receipt = leaf.kind == LeafKind::opened || leaf.kind == LeafKind::recorded;
        if (receipt && leaf.number != 0) close(index, leaf);
    }

    Completeness result() && {
        for (auto& [id, notice] : open_) result_.open.push_back(std::move(notice));
        std::ranges::sort(result_.open, {}, &OpenNotice::index);
        return std::move(result_);
    }

private:
    void close(std::uint64_t index, const Leaf& leaf) {
        const auto owed = open_.find(*leaf.message);
        if (owed == open_.end() || owed->second.number != leaf.number) {
            result_.strays.push_back(index);
            return;
        }
        open_.erase(owed);
        ++result_.closed;
        const std::string kind = schemas::EnumNameLeafKind(leaf.kind);
        ++result_.outcomes[leaf.outcome.empty() ? kind : kind + ": " + leaf.outcome];
    }

    std::map<Id16, OpenNotice> open_;
    Completeness result_;
};

std::string time_of(const OpenNotice& notice, const char* form) {
    return date::format(form, std::chrono::floor<std::chrono::seconds>(notice.since));
}

void tell_json(std::ostream& out, const Completeness& c) {
    auto open = nlohmann::json::array();
    for (const auto& notice : c.open)
        open.push_back({
            {"notice", to_hex(notice.notice)},
            {"index",  notice.index         },
            {"since",  time_of(notice,        "%FT%TZ")},
            {"recipient",        notice.recipient                  },
            {"topic",        notice.topic    },
            {"number",        notice.number                 },
            {"rule",        notice.rule      },
        });
    const nlohmann::json object{
        {"complete", c.complete()},
        {"issued",   c.issued    },
        {"closed",   c.closed    },
        {"open",     open        },
        {"strays",   c.strays    },
        {"outcomes", c.outcomes  },
        {"leaves",   c.kinds     },
    };
    out << object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

Completeness complete(const std::filesystem::path& directory, const Progress& progress) {
    Count count;
    each_leaf(
        directory, [&](std::uint64_t index, const Leaf& leaf) { count.add(index, leaf); }, progress);
    return std::move(count).result();
}

void tell(std::ostream& out, const Completeness& c, bool json) {
    if (json) return tell_json(out, c);
    for (const auto& notice : c.open)
        out << "open since " << time_of(notice, "%F %T") << ": " << printable(notice.recipient)
            << " owes an answer to " << printable(notice.topic) << " #" << notice.number << ", notice "
            << to_hex(notice.notice) << " [" << notice.index << "]\n";
    for (const auto index : c.strays) out << "entry " << index << " closes a notice that is not open\n";
    out << c.issued << " notices were issued, " << c.closed << " are closed, " << c.open.size()
        << " are open\n";
    for (const auto& [outcome, count] : c.outcomes) out << "  " << count << " " << printable(outcome) << "\n";
    out << "leaves of each kind:\n";
    for (const auto& [kind, count] : c.kinds) out << "  " << count << " " << kind << "\n";
}

}  // namespace flagpost::auditor
