#include "adapters/auditor/decisions.h"

#include <date/tz.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "adapters/auditor/layout.h"
#include "adapters/auditor/printable.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "broker/exchange/exchange.h"
#include "broker/wire/frames.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

using log::Leaf;
using log::LeafKind;

/// The names that the logged records gave: notices are named under a key of the broker's that nobody else has, so the
/// replay takes the names from the log, in order, and everything else from the decision.
class LoggedNames {
public:
    void take_from(const std::deque<Record>& records) {
        notices_.clear();
        salts_.clear();
        for (const auto& record : records) {
            if (record.leaf.kind != LeafKind::notice_issued) continue;
            notices_.push_back(record.leaf.message.value_or(Id16{}));
            salts_.push_back(salt_of(record));
        }
    }
    Id16 next(std::string_view seed) { return take(seed.starts_with("notice-salt|") ? salts_ : notices_); }

private:
    static Id16 take(std::deque<Id16>& names) {
        if (names.empty()) return {};
        const auto name = names.front();
        names.pop_front();
        return name;
    }
    static Id16 salt_of(const Record& record) {
        if (record.state != BodyState::open) return {};
        const auto envelope = exchange::envelope_in(record.body);
        const auto table = envelope ? wire::read_envelope(*envelope) : refuse(Reason::not_found, "");
        return table ? *exactly<16>(exchange::bytes_of(table->table->salt())) : Id16{};
    }
    std::deque<Id16> notices_, salts_;
};

/// The field in which two leaves differ, as far as a replay can tell: who it is about is an HMAC there.
std::optional<std::string> difference(const Leaf& logged, const Leaf& replayed) {
    const auto unless = [](bool equal, const char* name) {
        return equal ? std::nullopt : std::optional<std::string>{name};
    };
    for (const auto& found :
         {unless(logged.kind == replayed.kind, "kind"),
          unless(logged.operation == replayed.operation, "operation"),
          unless(logged.actor == replayed.actor, "actor"),
          unless(logged.recipient == replayed.recipient, "recipient"),
          unless(logged.topic == replayed.topic, "topic"),
          unless(logged.message == replayed.message, "message"),
          unless(logged.number == replayed.number, "number"),
          unless(logged.agreement == replayed.agreement, "agreement"),
          unless(logged.rule == replayed.rule, "rule"), unless(logged.purpose == replayed.purpose, "purpose"),
          unless(logged.legal_basis == replayed.legal_basis, "legal_basis"),
          unless(logged.outcome == replayed.outcome, "outcome"),
          unless(logged.engine == replayed.engine, "engine"),
          unless(logged.candidates == replayed.candidates, "candidates"),
          unless(logged.related == replayed.related, "related"),
          unless(logged.time == replayed.time, "time")})
        if (found) return found;
    return std::nullopt;
}

std::optional<std::string> difference(const Record& logged, const log::Record& replayed) {
    if (auto field = difference(logged.leaf, replayed.leaf)) return field;
    if (logged.leaf.subjects.size() != replayed.subjects.size()) return "subjects";
    if (logged.leaf.body.has_value() != !replayed.body.empty()) return "body: there is none on one side";
    if (logged.state == BodyState::open && logged.body != replayed.body) return "body";
    return std::nullopt;
}

class Replay {
public:
    Replay(const fs::path& directory, const crypto::BoxKey& key, const Progress& progress)
        : directory_{directory}, records_{directory, &key}, progress_{progress} {}

    Decisions run() {
        while (auto record = take()) {
            if (record->leaf.kind == LeafKind::agreement_set) put_in_force(*record);
            if (record->leaf.kind == LeafKind::decided)
                judge_late(*record);
            else
                apply(*record);
            if (is_incident(*record)) judge(*record);
            if (progress_ && record->index % 1024 == 0) progress_(record->index, records_.size());
        }
        return std::move(result_);
    }

private:
    const Record* peek(std::size_t ahead) {
        while (waiting_.size() <= ahead) {
            auto record = records_.next();
            if (!record) return nullptr;
            waiting_.push_back(*std::move(record));
        }
        return &waiting_[ahead];
    }

    std::optional<Record> take() {
        if (peek(0) == nullptr) return std::nullopt;
        auto record = std::move(waiting_.front());
        waiting_.pop_front();
        return record;
    }

    static bool is_incident(const Record& record) {
        return record.leaf.kind == LeafKind::published && record.leaf.topic.starts_with("incidents/");
    }

    void put_in_force(const Record& record) {
        const auto digest = record.leaf.agreement.value_or(Digest{});
        auto agreement = agreement_in(directory_ / agreement_path(digest));
        agreement_known_ = agreement && agreement->digest() == digest;
        // Without its text nothing is decided again, and yet all that happens under it has to be known later on.
        if (!agreement_known_ && !exchange_) agreement = any_agreement();
        if (!agreement) return;
        if (exchange_) return exchange_->put_in_force(*std::move(agreement));
        const auto self = SpiffeId::parse(record.leaf.actor);
        if (!self)
            throw std::runtime_error{"entry " + std::to_string(record.index) + ": its actor is no identity"};
        exchange_.emplace(exchange::Setting{*std::move(agreement), *self,
                                            [this](std::string_view seed) { return names_.next(seed); },
                                            date::locate_zone("Europe/London")});
    }

    static std::optional<agreement::Agreement> agreement_in(const fs::path& file) {
        const auto content = MappedFile::open(file);
        if (!content || content->bytes().size() > limits::agreement_size_max) return std::nullopt;
        auto agreement = agreement::Agreement::parse(text(content->bytes()));
        if (!agreement) return std::nullopt;
        return *std::move(agreement);
    }

    std::optional<agreement::Agreement> any_agreement() const {
        for (const auto& file : fs::directory_iterator{directory_ / "policies"})
            if (auto agreement = agreement_in(file.path())) return agreement;
        return std::nullopt;
    }

    void apply(const Record& record) {
        note_hole(record);
        if (record.body.empty() || !exchange_) return;
        try {
            exchange_->apply(record.index, record.leaf.kind, record.body);
        } catch (const std::exception& error) {
            throw std::runtime_error{"entry " + std::to_string(record.index) + ": " + error.what()};
        }
    }

    /// Whether something that later decisions rest on is not there to be known. A record of the register is, until
    /// another one takes its place; its leaf says whom it is about by an HMAC, which is enough for that. Parts of loads
    /// and incidents end with what was made of them.
    void note_hole(const Record& record) {
        const bool is_unit =
            record.leaf.kind == LeafKind::record_set || record.leaf.kind == LeafKind::record_removed;
        if (is_unit)
            for (const auto& subject : record.leaf.subjects) holes_.erase(subject);
        if (!record.leaf.body || record.state == BodyState::open) return;
        if (record.state != BodyState::absent) holes_are_erasures_ = false;
        if (is_unit && !record.leaf.subjects.empty())
            holes_.insert(record.leaf.subjects.begin(), record.leaf.subjects.end());
        else if (is_unit || record.leaf.kind == LeafKind::notice_issued ||
                 record.leaf.kind == LeafKind::load_applied)
            mailboxes_known_ = false;
    }

    /// What was logged of one decision: it, its notices, and what was withheld.
    std::deque<Record> logged_from(std::size_t ahead, std::uint64_t decided) {
        std::deque<Record> logged;
        for (const Record* next = peek(ahead); next != nullptr; next = peek(++ahead)) {
            const bool follows =
                (next->leaf.kind == LeafKind::notice_issued || next->leaf.kind == LeafKind::refused ||
                 next->leaf.kind == LeafKind::recorded) &&
                next->leaf.related == decided;
            if (!follows) break;
            logged.push_back(*next);
        }
        return logged;
    }

    /// The decision that ought to follow an incident.
    void judge(const Record& incident) {
        std::deque<Record> logged;
        const Record* const next = peek(0);
        const bool was_decided =
            next != nullptr && next->leaf.kind == LeafKind::decided && next->leaf.related == incident.index;
        if (was_decided) {
            logged = logged_from(1, next->index);
            logged.push_front(*next);
        }
        judge(incident, logged, false);
        // Its record is applied here, so that it is not taken for one decided late.
        if (was_decided) apply(*take());
    }

    /// A decision that does not follow its incident was made because the register had changed.
    void judge_late(const Record& decided) {
        ++result_.late;
        auto logged = logged_from(0, decided.index);
        logged.push_front(decided);
        const auto incident = decided.leaf.related ? bodies_.find(*decided.leaf.related) : bodies_.end();
        if (incident == bodies_.end())
            count_not_replayable("the incident's body is not there");
        else
            judge(Record{incident->first, {}, BodyState::open, incident->second}, logged, true);
        apply(decided);
    }

    void judge(const Record& incident, const std::deque<Record>& logged, bool late) {
        if (incident.state != BodyState::open)
            return logged.empty() ? void()
                                  : count_not_replayable(reason_of(incident.state, "the incident's body"));
        if (!late) remember(incident);
        if (!exchange_ || !agreement_known_)
            return count_not_replayable("the agreement's text is not in the export");
        const auto engine = exchange_->engine_digest();
        if (!logged.empty() && logged.front().leaf.engine && *logged.front().leaf.engine != engine) {
            ++result_.other_engine;
            return;
        }
        names_.take_from(logged);
        const auto now = logged.empty() ? incident.leaf.time : logged.front().leaf.time;
        exchange_->set_next_index(logged.empty() ? incident.index + 1 : logged.front().index);
        const auto replayed = exchange_->rehearse(incident.index, incident.body, late, now);
        if (logged.empty() && replayed.empty()) return;  // an older version: nothing to decide
        compare(incident, logged, replayed);
    }

    void compare(const Record& incident, const std::deque<Record>& logged,
                 const std::vector<log::Record>& replayed) {
        std::optional<Difference> found;
        const auto named = [&](std::uint64_t index, std::string what) {
            found = Difference{index, name_of(incident), std::move(what)};
        };
        for (std::size_t i = 0; i < std::max(logged.size(), replayed.size()) && !found; ++i) {
            if (i >= logged.size())
                named(logged.empty() ? incident.index : logged.front().index,
                      std::string{schemas::EnumNameLeafKind(replayed[i].leaf.kind)} + " is missing");
            else if (i >= replayed.size())
                named(logged[i].index,
                      std::string{schemas::EnumNameLeafKind(logged[i].leaf.kind)} + " is one too many");
            else if (auto field = difference(logged[i], replayed[i]))
                named(logged[i].index,
                      std::string{schemas::EnumNameLeafKind(logged[i].leaf.kind)} + ": " + *field);
        }
        if (!found) {
            ++result_.same;
            return;
        }
        // With a hole in what was known, a difference proves nothing.
        if (!holes_.empty() || !mailboxes_known_)
            return count_not_replayable(reason_of(
                holes_are_erasures_ ? BodyState::absent : BodyState::not_given, "part of what was known"));
        ++result_.differs;
        if (result_.differences.size() < differences_named_max)
            result_.differences.push_back(*std::move(found));
    }

    static std::string name_of(const Record& incident) {
        const auto* facts = exchange::read_body(incident.body).incident();
        return facts == nullptr ? "" : facts->force()->str() + "/" + facts->reference()->str();
    }

    static std::string reason_of(BodyState state, const std::string& what) {
        return what + (state == BodyState::absent ? " is erased" : " was not handed over");
    }

    void count_not_replayable(const std::string& why) {
        ++result_.not_replayable;
        ++result_.why_not[why];
    }

    /// Kept for as long as it can be decided again.
    void remember(const Record& incident) {
        bodies_.emplace(incident.index, incident.body);
        while (!kept_until_.empty() && kept_until_.front().first < incident.leaf.time) {
            bodies_.erase(kept_until_.front().second);
            kept_until_.pop_front();
        }
        // A tick may come late; the broker's clock may be held meanwhile.
        kept_until_.emplace_back(incident.leaf.time + 2 * limits::late_flag_window, incident.index);
    }

    fs::path directory_;
    Records records_;
    const Progress& progress_;
    std::deque<Record> waiting_;
    LoggedNames names_;
    std::optional<exchange::Exchange> exchange_;  // from the first agreement on
    bool agreement_known_ = false;
    std::set<Id16>
        holes_;  // records of the register that stand and could not be read, by whom they are about
    bool mailboxes_known_ = true;  // and what was told to whom
    bool holes_are_erasures_ = true;
    std::map<std::uint64_t, Bytes> bodies_;  // of incidents
    std::deque<std::pair<Instant, std::uint64_t>> kept_until_;
    Decisions result_;
};

}  // namespace

Decisions replay_decisions(const fs::path& directory, const crypto::BoxKey& key, const Progress& progress) {
    return Replay{directory, key, progress}.run();
}

void tell(std::ostream& out, const Decisions& decisions, bool json) {
    const auto& d = decisions;
    if (json) {
        auto differences = nlohmann::json::array();
        for (const auto& each : d.differences)
            differences.push_back({
                {"index",    each.index              },
                {"incident", printable(each.incident)},
                {"what",     each.what               }
            });
        const nlohmann::json object{
            {"same",           d.same          },
            {"differs",        d.differs       },
            {"not_replayable", d.not_replayable},
            {"other_engine",   d.other_engine  },
            {"late",           d.late          },
            {"differences",    differences     },
            {"why_not",        d.why_not       },
        };
        out << object.dump() << "\n";
        return;
    }
    for (const auto& each : d.differences)
        out << "entry " << each.index << ", incident " << printable(each.incident) << ": " << each.what
            << " differs\n";
    if (d.differs > d.differences.size()) out << "and " << d.differs - d.differences.size() << " more\n";
    out << "decided again: " << d.same << " the same, " << d.differs << " differing, " << d.not_replayable
        << " not replayable, " << d.other_engine << " of another engine\n";
    for (const auto& [why, count] : d.why_not) out << "  " << count << " not replayable: " << why << "\n";
}

}  // namespace flagpost::auditor
