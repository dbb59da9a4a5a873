#include "adapters/auditor/findings.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "adapters/auditor/layout.h"
#include "adapters/auditor/mapped_file.h"
#include "adapters/auditor/proof.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr auto remembered = ".verified";
constexpr std::uint64_t progress_scale = 1000;

/// Progress of one part of the work as that of the whole.
Progress part_of(const Progress& whole, std::uint64_t from, std::uint64_t to) {
    if (!whole) return {};
    return [&whole, from, to](std::uint64_t done, std::uint64_t all) {
        const auto within = all == 0 ? 0 : std::min(done, all) * (to - from) / all;
        whole(from + within, progress_scale);
    };
}

/// "ORIGIN\nSIZE\nROOT\n", the text of a head without its signatures.
std::optional<log::Checkpoint> head_before(const fs::path& directory) {
    const auto file = MappedFile::open(beside(directory, remembered));
    if (!file) return std::nullopt;
    auto head = log::Checkpoint::parse(std::string{text(file->bytes())});
    if (!head) return std::nullopt;
    return *std::move(head);
}

/// Written whole under another name first. That it cannot be written is no reason not to show what was found.
void remember(const fs::path& directory, const log::Checkpoint& head) {
    const auto file = beside(directory, remembered);
    auto fresh = file;
    fresh += ".new";
    std::ofstream{fresh, std::ios::binary | std::ios::trunc} << head.format();
    std::error_code none;
    fs::rename(fresh, file, none);
}

void compare_with_before(Findings& findings, const fs::path& directory) {
    const auto& now = findings.verification;
    const log::Checkpoint head{now.origin, now.size, now.root};
    const auto before = head_before(directory);
    findings.continuity = Continuity::first;
    if (before && before->origin == head.origin) {
        findings.size_before = before->size;
        if (before->size > head.size) {
            findings.continuity = Continuity::shorter;
            return;
        }
        if (log::root_at(before->size, tiles_of(directory, head.size)) != before->root) {
            findings.continuity = Continuity::rewritten;
            return;
        }
        findings.continuity = before->size == head.size ? Continuity::same : Continuity::continued;
    }
    remember(directory, head);
}

void read_entries(Findings& findings, const fs::path& directory, const crypto::BoxKey* key,
                  const Progress& progress) {
    findings.completeness = complete(directory);
    Records records{directory, key};
    Fates fates;
    while (const auto record = records.next()) {
        fates.add(*record);
        findings.newest = record->leaf.time;
        if (record->state == BodyState::open) ++findings.bodies_open;
        for (const auto& range : record->leaf.erased) findings.erasures += range.last - range.first + 1;
        if (progress && record->index % log::tile_width == 0) progress(record->index, records.size());
    }
    if (!findings.newest) return;
    for (const Fate& fate : fates.all())
        if (!fate.closed && fate.due) findings.due.emplace(fate.index, *fate.due);
    findings.in_time = in_time(fates.all(), *findings.newest);
    findings.finished = finished(fates.all(), *findings.newest);
}

}  // namespace

std::optional<std::uint64_t> entry_of(const Damage& damage) {
    for (const std::string_view before : {"entry ", "entries "}) {
        const auto at = damage.what.find(before);
        if (at == std::string::npos) continue;
        std::uint64_t index = 0;
        const auto* const from = damage.what.data() + at + before.size();
        const auto* const end = damage.what.data() + damage.what.size();
        if (std::from_chars(from, end, index).ptr != from) return index;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Findings::first_bad() const {
    std::optional<std::uint64_t> first;
    for (const auto& damage : verification.damages) {
        const auto entry = entry_of(damage);
        if (entry && (!first || *entry < *first)) first = entry;
    }
    return first;
}

Findings check_export(const fs::path& directory, const log::Policy& policy, const crypto::BoxKey* key,
                      Instant now, const Progress& progress) {
    Findings findings;
    findings.made = now;
    if (const auto head = MappedFile::open(directory / "checkpoint"))
        findings.checkpoint = std::string{text(head->bytes())};
    findings.verification = verify(directory, policy, part_of(progress, 0, 500));
    for (const auto& name : policy.witness_names())
        if (std::ranges::find(findings.verification.witnesses, name) == findings.verification.witnesses.end())
            findings.missing.push_back(name);
    if (findings.verification.verified()) compare_with_before(findings, directory);
    try {
        read_entries(findings, directory, key, part_of(progress, 500, 700));
    } catch (const std::runtime_error& error) {
        findings.unreadable = error.what();
    }
    if (key == nullptr)
        findings.not_decided = "the bodies that decisions rest on are not open to this desk";
    else if (!findings.sound() || !findings.unreadable.empty())
        findings.not_decided = "the log does not verify";
    else
        try {
            findings.decisions = replay_decisions(directory, *key, part_of(progress, 700, progress_scale));
        } catch (const std::runtime_error& error) {
            findings.not_decided = error.what();
        }
    return findings;
}

}  // namespace flagpost::auditor
