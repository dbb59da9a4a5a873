/// Every open notice of an agency, read once: with ten thousand open, reading them would be most of what each page takes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/desk/inbox.h"
#include "adapters/desk/kept_from.h"
#include "adapters/web/handover.h"
#include "adapters/web/journal.h"

namespace flagpost::web {

/// What is known of notices beside themselves.
struct Beside {
    std::map<std::string, std::string> holders;                 // by reference
    std::map<std::string, std::vector<std::string>> kept_from;  // by the notice's id in hex
};

inline Beside beside(Reader& reader, Journal& journal) {
    return {journal.holders(), reader.read([](const client::Box& box) { return box.kept_from(); })};
}

/// Sets what is known of the notice beside itself.
template <class Notice> void add_beside(Notice& notice, const Beside& known) {
    const auto holder = known.holders.find(notice.value->reference);
    if (holder != known.holders.end()) notice.holder = holder->second;
    notice.kept_from = desk::list_of(known.kept_from, notice.value->notice);
}

/// `Notice` has an `item`, a `value` (what a `Table` says, shared), a `holder` and who it is `kept_from`. Safe for several threads;
/// everything named lives as long as this.
template <class Notice, class Table> class OpenNotices {
public:
    using Value = typename Table::NativeTableType;
    using All = std::shared_ptr<const std::vector<Notice>>;
    struct Some {
        All all;  // what the others point into
        std::vector<const Notice*> theirs;
    };

    OpenNotices(Reader& reader, Journal& journal, schemas::Kind kind)
        : reader_{reader}, journal_{journal}, kind_{kind} {}

    /// Oldest first, without payloads. What was read before is not read again.
    All all() {
        Beside known{journal_.holders(), {}};
        const std::lock_guard lock{lock_};
        return reader_.read([&](const client::Box& box) {
            // Asked first: what changes meanwhile makes the next one read again.
            const auto version = box.data_version();
            if (open_ && version == version_ && known.holders == holders_) return open_;
            known.kept_from = box.kept_from();
            auto notices = std::make_shared<std::vector<Notice>>();
            decltype(values_) values;
            for (auto& item :
                 box.unrecorded(kind_, open_max, [&](const Id16& id) { return values_.contains(id); })) {
                const auto before = values_.find(item.id);
                Notice notice{};
                notice.item = std::move(item);
                notice.value = before != values_.end()
                                   ? before->second
                                   : std::make_shared<const Value>(desk::payload_of<Table>(notice.item));
                notice.item.payload = {};
                add_beside(notice, known);
                values.emplace(notice.item.id, notice.value);
                notices->push_back(std::move(notice));
            }
            values_ = std::move(values);
            version_ = version;
            holders_ = std::move(known.holders);
            open_ = std::move(notices);
            return open_;
        });
    }

    /// Those of which `may_see` says so, by reference: of what came again under the same, as with an escalation, the newest.
    template <class MaySee> Some those(MaySee&& may_see) {
        Some some{all(), {}};
        std::map<std::string_view, const Notice*> newest;
        for (const Notice& notice : *some.all)
            if (may_see(notice)) newest.insert_or_assign(notice.value->reference, &notice);
        for (const auto& [reference, notice] : newest) some.theirs.push_back(notice);
        return some;
    }

private:
    static constexpr std::size_t open_max = 100'000;  // more than any agency acts on

    Reader& reader_;
    Journal& journal_;
    schemas::Kind kind_;
    std::mutex lock_;  // guards what follows
    All open_;
    std::int64_t version_ = 0;  // of the box
    std::map<std::string, std::string> holders_;
    std::map<Id16, std::shared_ptr<const Value>> values_;  // by delivery
};

}  // namespace flagpost::web
