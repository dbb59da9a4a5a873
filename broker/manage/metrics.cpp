#include "broker/manage/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>

#include "broker/standing/report.h"
#include "broker/standing/thresholds.h"

namespace flagpost::manage {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds(Instant instant) { return static_cast<double>(to_us(instant)) / 1e6; }

/// Families in the order they are told.
class Page {
public:
    template <class Number> void gauge(const char* name, const char* help, Number value, Labels labels = {}) {
        series(name, help, MetricType::Gauge, std::move(labels)).gauge.value = static_cast<double>(value);
    }
    void gauge(const char* name, const char* help, const std::optional<Instant>& at, Labels labels = {}) {
        if (at) gauge(name, help, seconds(*at), std::move(labels));
    }
    void counter(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
        series(name, help, MetricType::Counter, std::move(labels)).counter.value = static_cast<double>(value);
    }
    std::string text() const { return prometheus::TextSerializer{}.Serializer::Serialize(families_); }

private:
    ClientMetric& series(const char* name, const char* help, MetricType type, Labels labels) {
        if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
        ClientMetric metric;
        metric.label = std::move(labels);
        families_.back().metric.push_back(std::move(metric));
        return families_.back().metric.back();
    }

    std::vector<MetricFamily> families_;
};

void tell_counts(Page& page, const standing::Counts& counts) {
    page.counter("flagpost_published_total", "Messages confirmed for the first time", counts.published);
    page.counter("flagpost_repeated_total", "Messages confirmed again", counts.repeated);
    page.counter("flagpost_refused_total", "Frames answered with a refusal", counts.refused);
    page.counter("flagpost_delivered_total", "Deliveries sent, repeats included", counts.delivered);
    page.counter("flagpost_commits_total", "Transactions committed", counts.commits);
    page.counter("flagpost_leaves_total", "Leaves added to the log since the start", counts.records);
    page.counter("flagpost_turned_away_total", "Connections refused before they had a session",
                 counts.turned_away);
    page.counter("flagpost_gates_stuck_total",
                 "Gates dropped because they took nothing: a fault of the program", counts.gates_stuck);
}

void tell_notices(Page& page, const standing::Standing& standing) {
    const auto& owed = standing.obligations;
    constexpr const char* help = "Notices nobody has closed yet, by how near their time is";
    page.gauge("flagpost_obligations", help, owed.open - owed.due_soon - owed.overdue,
               {
                   {"state", "open"}
    });
    page.gauge("flagpost_obligations", help, owed.due_soon,
               {
                   {"state", "due_soon"}
    });
    page.gauge("flagpost_obligations", help, owed.overdue,
               {
                   {"state", "overdue"}
    });
    page.gauge("flagpost_dead_letters", "Deliveries no consumer could store", standing.dead_letters.count);
}

void tell_log(Page& page, const standing::Log& log) {
    page.gauge("flagpost_log_leaves", "Leaves committed", log.size);
    page.gauge("flagpost_log_signed_leaves", "Leaves the newest signed head covers", log.signed_size);
    page.gauge("flagpost_log_signed_time_seconds", "When the newest head was signed", log.signed_at);
    page.gauge("flagpost_commit_time_seconds", "When the last transaction was committed", log.committed_at);
}

void tell_store(Page& page, const standing::Standing& standing) {
    for (const auto& queue : standing::queues(standing))
        page.gauge("flagpost_queue_used", "What fills up, in its own unit", queue.used,
                   {
                       {"queue", queue.name}
        });
    for (const auto& queue : standing::queues(standing))
        page.gauge("flagpost_queue_limit", "Where it is full", queue.limit,
                   {
                       {"queue", queue.name}
        });
    if (!standing.disk) return;
    page.gauge("flagpost_disk_total_bytes", "The disk under the store", standing.disk->total);
    page.gauge("flagpost_disk_free_bytes", "Free on the disk under the store", standing.disk->free);
    page.gauge("flagpost_disk_reserve_bytes", "Kept back for acknowledgements", standing.disk->reserve);
}

/// Those who are expected, no more than are named elsewhere.
void tell_peers(Page& page, const std::vector<standing::Peer>& all) {
    std::vector<const standing::Peer*> peers;
    for (const auto& peer : all)
        if (peer.expected && peers.size() < standing::named_max) peers.push_back(&peer);
    for (const auto* peer : peers)
        page.gauge("flagpost_peer_sessions", "Sessions of a party now", peer->sessions,
                   {
                       {"agency", peer->agency}
        });
    for (const auto* peer : peers)
        page.gauge("flagpost_peer_seen_time_seconds", "When a party was connected last", peer->seen,
                   {
                       {"agency", peer->agency}
        });
    for (const auto* peer : peers)
        page.gauge("flagpost_peer_certificate_end_time_seconds",
                   "When the certificate a party showed last ends", peer->certificate_ends,
                   {
                       {"agency", peer->agency}
        });
}

/// What came beside what was to be expected, of the window that was looked at last.
void tell_volumes(Page& page, const standing::Standing& standing) {
    for (const auto& flow : standing.flows)
        page.counter("flagpost_flow_total", "Incidents recorded and notices issued, since the start",
                     flow.count,
                     {
                         {"topic", flow.topic}
        });
    const auto each = [&](const char* name, const char* help, const auto& value) {
        for (const auto& volume : standing.volumes)
            if (volume.window.count() != 0)
                page.gauge(name, help, value(volume),
                           {
                               {"topic", volume.topic}
                });
    };
    each("flagpost_volume_observed", "What came in the hours that are most unlikely",
         [](const auto& volume) { return volume.observed; });
    each("flagpost_volume_expected", "What was to be expected in them by past weeks",
         [](const auto& volume) { return volume.expected; });
    each("flagpost_volume_hours", "How many hours these were",
         [](const auto& volume) { return volume.window.count(); });
}

void tell_surroundings(Page& page, const standing::Standing& standing) {
    for (const auto& feed : standing.feeds)
        page.gauge("flagpost_feed_loaded_time_seconds", "When an authority's list of flags was loaded last",
                   std::optional{
                       feed.applied
        },
                   {{"la", feed.la}});
    for (std::size_t at = 0; at < std::min(standing.rolls.size(), standing::named_max); ++at) {
        const auto& roll = standing.rolls[at];
        page.gauge("flagpost_roll_loaded_time_seconds",
                   "When a roll, or a register of children not in school, was loaded last",
                   std::optional{
                       roll.applied
        },
                   {{"agency", roll.agency}, {"list", roll.not_in_school ? "not_in_school" : "roll"}});
    }
    page.gauge("flagpost_certificate_end_time_seconds", "When the broker's own certificate ends",
               standing.certificate_ends);
    page.gauge("flagpost_revocation_list_end_time_seconds", "When the revocation list ends",
               standing.revocation_list_ends);
    page.gauge("flagpost_clock_held", "1: nothing expires until somebody says that the clock is right",
               standing.clock_held);
    if (!standing.clock) return;
    page.gauge("flagpost_clock_synchronised", "Whether the kernel says that the clock is kept right",
               standing.clock->synchronised);
    page.gauge("flagpost_clock_error_max_seconds", "How wrong the kernel says that the clock may be",
               static_cast<double>(standing.clock->error_max.count()) / 1e6);
}

void tell_gate(Page& page, const standing::GateCounts& gate) {
    page.gauge("flagpost_gate_connections", "Connections now, sessions or not", gate.connections);
    page.counter("flagpost_gate_accepted_total", "Sockets accepted", gate.accepted);
    page.counter("flagpost_gate_sessions_total", "Sessions opened", gate.opened);
    page.counter("flagpost_gate_in_bytes_total", "Bytes read from peers", gate.bytes_in);
    page.counter("flagpost_gate_out_bytes_total", "Bytes written to peers", gate.bytes_out);
    for (const auto& [cause, count] : gate.refused)
        page.counter("flagpost_gate_refused_total", "Connections that did not become sessions, by cause",
                     count,
                     {
                         {"cause", cause}
        });
}

}  // namespace

std::string metrics(const standing::Standing& standing, const std::vector<standing::Alarm>& alarms) {
    Page page;
    page.gauge("flagpost_start_time_seconds", "When the broker started", std::optional{standing.started});
    page.gauge("flagpost_standing_time_seconds", "When these values were taken", std::optional{standing.at});
    page.gauge("flagpost_alarms", "Things that need somebody now", alarms.size());
    for (std::size_t at = 0; at < std::min(alarms.size(), standing::named_max); ++at)
        page.gauge("flagpost_alarm", "One thing that needs somebody", 1,
                   {
                       {"code",    alarms[at].code                   },
                       {"about",   alarms[at].about                  },
                       {"urgency", standing::name(alarms[at].urgency)},
                       {"owner",   alarms[at].owner                  }
        });
    page.gauge("flagpost_sessions", "Sessions now", standing.counts.sessions);
    tell_counts(page, standing.counts);
    tell_notices(page, standing);
    tell_log(page, standing.log);
    tell_store(page, standing);
    tell_peers(page, standing.peers);
    tell_volumes(page, standing);
    tell_surroundings(page, standing);
    if (standing.gate) tell_gate(page, *standing.gate);
    return page.text();
}

}  // namespace flagpost::manage
