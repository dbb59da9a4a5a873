#include "broker/router/status.h"

#include <date/date.h>

#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "broker/core/limits.h"

namespace flagpost::router {
namespace {

using log::LeafKind;
using nlohmann::json;

/// The log as far as it is on disk: a reader sees further while a batch is on its way there.
class OnDisk {
public:
    OnDisk(store::Reader& all, std::uint64_t size) : all_{all}, size_{size} {}

    std::uint64_t size() const { return size_; }
    std::optional<store::Receipt> receipt(const AgencyId& agency, const Id16& message) {
        auto receipt = all_.receipt(agency, message);
        return receipt && receipt->index < size_ ? receipt : std::nullopt;
    }
    std::vector<std::uint64_t> about(std::string_view subject, std::size_t most) {
        auto indexes = all_.about(subject, most);
        std::erase_if(indexes, [this](std::uint64_t index) { return index >= size_; });
        return indexes;
    }
    // Of entries below size().
    std::optional<Bytes> leaf(std::uint64_t index) { return all_.leaf(index); }
    std::optional<Bytes> body(std::uint64_t index) { return all_.body(index); }

private:
    store::Reader& all_;
    std::uint64_t size_;
};

log::Leaf leaf_at(std::uint64_t index, OnDisk& reader) {
    const auto bytes = reader.leaf(index);
    auto leaf = bytes ? log::decode_leaf(*bytes) : refuse(Reason::not_found, "missing");
    if (!leaf) throw store::StorageFailure{"leaf " + std::to_string(index) + ": " + leaf.error().where};
    return std::move(*leaf);
}

std::string iso(Instant instant) {
    return date::format("%FT%TZ", std::chrono::floor<std::chrono::milliseconds>(instant));
}

bool is_by(const log::Leaf& leaf, const AgencyId& agency) {
    const auto actor = SpiffeId::parse(leaf.actor);
    return actor && actor->agency() == agency;
}

/// The leaf that records the message asked for, if it is this agency's own.
std::optional<std::uint64_t> leaf_asked_for(const Ask& ask, const AgencyId& agency, OnDisk& reader) {
    if (ask.id) {
        const auto receipt = reader.receipt(agency, *ask.id);
        return receipt ? std::optional{receipt->index} : std::nullopt;
    }
    if (ask.from >= reader.size()) return std::nullopt;
    const auto leaf = leaf_at(ask.from, reader);
    return leaf.kind == LeafKind::published && is_by(leaf, agency) ? std::optional{ask.from} : std::nullopt;
}

/// Everything the log has about the incident the message is a version of; the message alone if it is none.
std::vector<std::uint64_t> leaves_about(const Ask& ask, const AgencyId& agency, OnDisk& reader) {
    const auto about = [&](const std::string& reference) {
        return reader.about(exchange::incident_subject(agency.text(), reference),
                            limits::status_events_max + 1);
    };
    if (!ask.reference.empty()) return about(ask.reference);
    const auto index = leaf_asked_for(ask, agency, reader);
    if (!index) return {};
    const auto body = reader.body(*index);
    const auto reference = body ? exchange::incident_reference_in(*body) : std::nullopt;
    return reference ? about(*reference) : std::vector{*index};
}

std::string kind_of(std::string_view agency) { return std::string{agency.substr(0, agency.find('/'))}; }

/// Whose doing it was, or who was told: a kind of agency.
std::string party_of(const log::Leaf& leaf) {
    if (!leaf.recipient.empty()) return kind_of(leaf.recipient);
    const auto actor = SpiffeId::parse(leaf.actor);
    return actor ? std::string{actor->agency().kind()} : std::string{};
}

/// The story so far, read leaf by leaf.
class Story {
public:
    void read(const log::Leaf& leaf) {
        json event{
            {"at",    iso(leaf.time)                      },
            {"index", leaf.index                          },
            {"what",  schemas::EnumNameLeafKind(leaf.kind)},
            {"to",    party_of(leaf)                      }
        };
        if (!leaf.outcome.empty()) event["outcome"] = leaf.outcome;
        const bool is_notice =
            leaf.message && leaf.kind != LeafKind::published && leaf.kind != LeafKind::decided;
        if (is_notice) {
            event["notice"] = to_hex(*leaf.message);
            follow(leaf);
        }
        if (leaf.kind == LeafKind::decided) decided_ = true;
        events_.push_back(std::move(event));
    }

    json told(bool more) const {
        json notices = json::array();
        for (const auto& [id, notice] : notices_)
            notices.push_back({
                {"notice", to_hex(id)  },
                {"to",     notice.to   },
                {"state",  notice.state}
            });
        json all{
            {"state",   state()           },
            {"notices", std::move(notices)},
            {"events",  events_           }
        };
        if (more) all["more"] = true;
        return all;
    }

    std::string state() const {
        if (!decided_) return "recorded";
        if (notices_.empty()) return "decided";
        const bool closed =
            std::ranges::all_of(notices_, [](const auto& each) { return each.second.closed; });
        return closed ? "closed" : "owed";
    }

private:
    struct Notice {
        std::string to, state;
        bool closed = false;
    };

    void follow(const log::Leaf& leaf) {
        auto& notice = notices_[*leaf.message];
        if (leaf.kind == LeafKind::notice_issued) notice.to = kind_of(leaf.recipient);
        const bool answers = leaf.kind == LeafKind::opened || leaf.kind == LeafKind::recorded;
        notice.closed |= answers && leaf.number > 0;
        if (leaf.kind == LeafKind::reported) return;
        notice.state = notice.closed ? "closed" : schemas::EnumNameLeafKind(leaf.kind);
    }

    json events_ = json::array();
    std::map<Id16, Notice> notices_;
    bool decided_ = false;
};

// Of one page of a period: what the broker thread reads at once while others wait.
constexpr std::uint64_t leaves_at_once = 1024;

struct Period {
    Instant from, to;
};

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Period> period_in(std::string_view scope) {
    const auto slash = scope.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto from = number_in(scope.substr(0, slash)), to = number_in(scope.substr(slash + 1));
    if (!from || !to) return std::nullopt;
    return Period{from_us(*from), from_us(*to)};
}

/// The first leaf that is no older. Leaves never go back in time.
std::uint64_t first_since(Instant from, OnDisk& reader) {
    std::uint64_t low = 0, high = reader.size();
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        if (leaf_at(middle, reader).time < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/// What became of an incident so far; `read` grows by the leaves this took.
std::string state_of(const std::string& reference, const AgencyId& agency, OnDisk& reader,
                     std::uint64_t& read) {
    Story story;
    auto indexes =
        reader.about(exchange::incident_subject(agency.text(), reference), limits::status_events_max);
    for (const auto index : indexes) story.read(leaf_at(index, reader));
    read += indexes.size();
    return story.state();
}

Page period_page(const Ask& ask, const Period& period, const AgencyId& agency, OnDisk& reader) {
    json messages = json::array(), notices = json::array();
    const std::uint64_t size = reader.size();
    std::uint64_t next = std::max(ask.from, first_since(period.from, reader));
    bool over = next >= size;
    for (std::uint64_t read = 0; next < size && read < leaves_at_once; ++next) {
        const auto leaf = leaf_at(next, reader);
        ++read;
        over = leaf.time >= period.to;
        if (over) break;
        if (leaf.kind == LeafKind::notice_issued && leaf.recipient == agency.text() && leaf.message)
            notices.push_back({
                {"notice", to_hex(*leaf.message)},
                {"index",  next                 },
                {"at",     iso(leaf.time)       },
                {"topic",  leaf.topic           }
            });
        if (leaf.kind != LeafKind::published || !leaf.message || !is_by(leaf, agency)) continue;
        json message{
            {"id",    to_hex(*leaf.message)},
            {"index", next                 },
            {"at",    iso(leaf.time)       },
            {"topic", leaf.topic           }
        };
        const auto body = leaf.topic.starts_with("incidents/") ? reader.body(next) : std::nullopt;
        if (const auto reference = body ? exchange::incident_reference_in(*body) : std::nullopt) {
            message["reference"] = *reference;
            message["state"] = state_of(*reference, agency, reader, read);
        }
        messages.push_back(std::move(message));
    }
    const json all{
        {"messages", std::move(messages)},
        {"notices",  std::move(notices) },
        {"next",     next               }
    };
    return Page{copy(view(all.dump())), !over && next < size};
}

}  // namespace

Result<Page> status_page(const Ask& ask, const AgencyId& agency, store::Reader& all, std::uint64_t size) {
    OnDisk reader{all, size};
    if (!ask.scope.empty()) {
        const auto period = period_in(ask.scope);
        if (!period || period->from >= period->to) return refuse(Reason::invalid_value, "query.scope");
        return period_page(ask, *period, agency, reader);
    }
    auto indexes = leaves_about(ask, agency, reader);
    if (indexes.empty()) return refuse(Reason::not_found, "query: message");
    const bool more = indexes.size() > limits::status_events_max;
    if (more) indexes.resize(limits::status_events_max);
    Story story;
    std::optional<log::Leaf> first;
    for (const auto index : indexes) {
        const auto leaf = leaf_at(index, reader);
        if (!first && leaf.kind == LeafKind::published) first = leaf;
        story.read(leaf);
    }
    json answer = story.told(more);
    if (first) {
        answer["index"] = first->index;
        if (first->message) answer["id"] = to_hex(*first->message);
    }
    return Page{copy(view(answer.dump())), false};
}

}  // namespace flagpost::router
