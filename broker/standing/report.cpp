#include "broker/standing/report.h"

#include <date/date.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "broker/core/limits.h"

namespace flagpost::standing {
namespace {

using nlohmann::json;

json time_of(const std::optional<Instant>& instant) {
    if (!instant) return nullptr;
    return date::format("%FT%TZ", std::chrono::floor<std::chrono::seconds>(*instant));
}

json alarms_json(const std::vector<Alarm>& alarms) {
    json all = json::array();
    for (const auto& alarm : alarms) {
        if (all.size() >= named_max) break;
        all.push_back({
            {"code",    alarm.code          },
            {"about",   alarm.about         },
            {"urgency", name(alarm.urgency) },
            {"what",    alarm.what          },
            {"since",   time_of(alarm.since)},
            {"owner",   alarm.owner         },
            {"to_do",   alarm.to_do         }
        });
    }
    return all;
}

json peers_json(const std::vector<Peer>& peers) {
    std::vector<const Peer*> longest_away;
    longest_away.reserve(peers.size());
    for (const auto& peer : peers) longest_away.push_back(&peer);
    std::ranges::stable_sort(longest_away, {}, [](const Peer* peer) {
        return std::tuple{peer->sessions > 0, peer->seen.value_or(Instant::min())};
    });
    if (longest_away.size() > named_max) longest_away.resize(named_max);
    json all = json::array();
    for (const Peer* peer : longest_away)
        all.push_back({
            {"agency",           peer->agency                   },
            {"name",             peer->name                     },
            {"sessions",         peer->sessions                 },
            {"last_seen",        time_of(peer->seen)            },
            {"cosigned",         time_of(peer->cosigned)        },
            {"certificate_ends", time_of(peer->certificate_ends)}
        });
    return all;
}

json queues_json(const Standing& standing) {
    json all = json::array();
    for (const auto& queue : queues(standing))
        all.push_back({
            {"name",  queue.name },
            {"used",  queue.used },
            {"limit", queue.limit}
        });
    return all;
}

json feeds_json(const Standing& standing) {
    json all = json::array();
    for (const auto& feed : standing.feeds)
        all.push_back({
            {"la",          feed.la              },
            {"last_loaded", time_of(feed.applied)}
        });
    return all;
}

json rolls_json(const Standing& standing) {
    json all = json::array();
    for (const auto& roll : standing.rolls) {
        if (all.size() >= named_max) break;
        all.push_back({
            {"agency",        roll.agency          },
            {"not_in_school", roll.not_in_school   },
            {"last_loaded",   time_of(roll.applied)}
        });
    }
    return all;
}

json volumes_json(const Standing& standing) {
    json all = json::array();
    for (const auto& volume : standing.volumes) {
        if (all.size() >= named_max) break;
        json each{
            {"topic",        volume.topic                   },
            {"low",          volume.low                     },
            {"history_days", std::floor(volume.history_days)}
        };
        if (volume.window.count() != 0) {
            each["hours"] = volume.window.count();
            each["until"] = time_of(volume.until);
            each["observed"] = volume.observed;
            each["expected"] = std::round(volume.expected * 10) / 10;
        } else {
            each["not_judged"] = volume.history_days < std::chrono::days{volume_history_min}.count()
                                     ? "too little history"
                                     : "too little is expected";
        }
        all.push_back(std::move(each));
    }
    return all;
}

json counts_json(const Counts& counts) {
    return {
        {"sessions",    counts.sessions   },
        {"published",   counts.published  },
        {"repeated",    counts.repeated   },
        {"refused",     counts.refused    },
        {"delivered",   counts.delivered  },
        {"commits",     counts.commits    },
        {"records",     counts.records    },
        {"turned_away", counts.turned_away}
    };
}

void add_surroundings(json& all, const Standing& standing) {
    if (const auto& disk = standing.disk)
        all["disk"] = {
            {"total_bytes",   disk->total  },
            {"free_bytes",    disk->free   },
            {"reserve_bytes", disk->reserve}
        };
    json clock{
        {"held", standing.clock_held}
    };
    if (standing.clock) {
        clock["synchronised"] = standing.clock->synchronised;
        clock["error_max_us"] = standing.clock->error_max.count();
    }
    all["clock"] = std::move(clock);
    all["certificate_ends"] = time_of(standing.certificate_ends);
    all["revocation_list_ends"] = time_of(standing.revocation_list_ends);
}

}  // namespace

const char* name(Urgency urgency) { return urgency == Urgency::now ? "now" : "soon"; }

std::string report(const Standing& standing, const std::vector<Alarm>& alarms) {
    const auto connected =
        std::ranges::count_if(standing.peers, [](const Peer& p) { return p.sessions > 0; });
    const auto& owed = standing.obligations;
    json all{
        {"says",            headline(alarms.size())     },
        {"at",              time_of(standing.at)        },
        {"started",         time_of(standing.started)   },
        {"alarms_total",    alarms.size()               },
        {"alarms",          alarms_json(alarms)         },
        {"peers_total",     standing.peers.size()       },
        {"peers_connected", connected                   },
        {"peers",           peers_json(standing.peers)  },
        {"feeds",           feeds_json(standing)        },
        {"rolls",           rolls_json(standing)        },
        {"volumes",         volumes_json(standing)      },
        {"queues",          queues_json(standing)       },
        {"counts",          counts_json(standing.counts)},
        {"dead_letters",    standing.dead_letters.count }
    };
    all["obligations"] = {
        {"open",     owed.open    },
        {"due_soon", owed.due_soon},
        {"overdue",  owed.overdue }
    };
    all["log"] = {
        {"size",         standing.log.size                 },
        {"signed_size",  standing.log.signed_size          },
        {"signed_at",    time_of(standing.log.signed_at)   },
        {"committed_at", time_of(standing.log.committed_at)}
    };
    add_surroundings(all, standing);
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace flagpost::standing
