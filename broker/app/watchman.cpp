#include "broker/app/watchman.h"

#include <date/tz.h>
#include <spdlog/spdlog.h>
#include <sys/timex.h>

#include <algorithm>
#include <map>

#include "broker/core/limits.h"
#include "broker/standing/report.h"
#include "broker/store/disk.h"
#include "broker/store/durable_file.h"
#include "broker/store/store.h"

namespace flagpost::app {
namespace {

constexpr std::chrono::minutes volumes_kept_every{5};

std::optional<standing::Disk> disk_under(const std::filesystem::path& database) {
    try {
        const auto space = store::space_of(database);
        return standing::Disk{space.total, space.free, store::reserve_held(database)};
    } catch (const store::StorageFailure&) {
        return std::nullopt;  // the store thread judges the disk; this only shows it
    }
}

standing::GateCounts counts_of(const gate::Counters& counters) {
    standing::GateCounts counts{counters.connections.value(), counters.accepted.value(),
                                counters.opened.value(), counters.bytes_in.value(),
                                counters.bytes_out.value()};
    for (std::size_t cause = 0; cause < gate::cause_count; ++cause)
        counts.refused.emplace_back(gate::name(static_cast<gate::Cause>(cause)),
                                    counters.refused[cause].value());
    return counts;
}

}  // namespace

standing::KernelClock kernel_clock() {
    timex clock{};
    const bool synchronised = adjtimex(&clock) != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
    return {synchronised, std::chrono::microseconds{clock.maxerror}};
}

std::vector<standing::Peer> peers_of(const agreement::Agreement& agreement, const router::Parties& parties) {
    std::map<AgencyId, std::vector<std::string>> delegates;
    for (const auto& [agency, party] : agreement.parties())
        for (const auto& other : party.acts_for) delegates[other].push_back(agency.text());
    std::vector<standing::Peer> peers;
    for (const auto& [agency, party] : agreement.parties()) {
        standing::Peer peer{agency.text(), party.name};
        peer.expected = agency.kind() != "operator" && agency.kind() != "auditor";
        const auto* keys = parties.of(agency);
        peer.witness = keys != nullptr && !keys->witness.empty();
        peer.delegates = std::move(delegates[agency]);
        peers.push_back(std::move(peer));
    }
    std::ranges::sort(peers, {}, &standing::Peer::agency);
    return peers;
}

Watchman::Watchman(const BrokerConfig& config, std::function<const gate::Counters*()> gate,
                   manage::Board& board)
    : config_{config},
      gate_{std::move(gate)},
      board_{board},
      watch_{config.management.patience},
      volumes_{date::locate_zone("Europe/London")} {
    if (const auto text = store::read_whole(config_.volumes()))
        if (const auto restored = volumes_.restore(flagpost::text(*text)); !restored)
            spdlog::error("{}: {}: what is usual has to be learnt anew", config_.volumes().string(),
                          restored.error().where);
}

Watchman::~Watchman() {
    if (keeping_.valid()) keeping_.wait();
    keep_volumes();
    keeping_.wait();
}

void Watchman::keep_volumes() {
    keeping_ = std::async(std::launch::async, [file = config_.volumes(), text = volumes_.text()] {
        try {
            store::write_durably(file, view(text));
        } catch (const store::StorageFailure& error) {
            spdlog::error("what came each hour is not kept: {}",
                          error.what());  // a restart then forgets some of it
        }
    });
}

/// Judged by whole hours; kept every few minutes, watched time and counts together, so that what a crash loses is neither
/// expected nor missed.
void Watchman::watch_volumes(standing::Standing& standing) {
    volumes_.count(standing.flows, standing.at);
    const auto hour = date::floor<std::chrono::hours>(standing.at);
    if (judged_at_ != hour) {
        judged_ = volumes_.judge(standing.at, standing.bank_holidays);
        judged_at_ = hour;
    }
    standing.volumes = judged_;
    const bool ready =
        !keeping_.valid() || keeping_.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    if (!kept_at_) kept_at_ = standing.at;
    if (!ready || standing.at - *kept_at_ < volumes_kept_every) return;
    keep_volumes();
    kept_at_ = standing.at;
}

void Watchman::look(standing::Standing standing) {
    standing.disk = disk_under(config_.database());
    standing.clock = kernel_clock();
    if (const auto* counters = gate_()) standing.gate = counts_of(*counters);
    watch_volumes(standing);
    auto seen = watch_.look(standing);
    for (const auto& alarm : seen.begun)
        spdlog::warn("alarm {} {}: {}. {} is to act: {}", alarm.code, alarm.about, alarm.what, alarm.owner,
                     alarm.to_do);
    for (const auto& alarm : seen.ended) spdlog::info("alarm {} {} is over", alarm.code, alarm.about);
    auto report = standing::report(standing, seen.alarms);
    board_.hang_up(std::make_shared<const manage::Sheet>(manage::Sheet{
        std::move(standing), std::move(seen.alarms), std::move(report), std::chrono::steady_clock::now()}));
}

std::string Watchman::report() const {
    const auto sheet = board_.newest();
    return sheet ? sheet->report : "{}";
}

}  // namespace flagpost::app
