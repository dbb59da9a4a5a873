#include "adapters/auditor/commands.h"

#include <fstream>
#include <iterator>
#include <ostream>

#include "adapters/auditor/complete.h"
#include "adapters/auditor/replay.h"
#include "adapters/auditor/verify.h"
#include "adapters/auditor/wire_source.h"
#include "broker/core/limits.h"
#include "broker/crypto/keys.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

/// The beginning of a small file; what is longer than any policy is refused by whoever reads it.
std::string small_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    std::string content(limits::policy_size_max + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad() || !in.is_open()) throw WrongUsage{path.string() + ": cannot be read"};
    content.resize(static_cast<std::size_t>(in.gcount()));
    return content;
}

log::VerifierKey key_in(const fs::path& path) {
    auto line = small_file(path);
    while (line.ends_with('\n')) line.pop_back();
    const auto key = log::VerifierKey::parse(line);
    if (!key || key->type() != log::VerifierKey::Type::note)
        throw WrongUsage{path.string() + ": is not the key of a log"};
    return *key;
}

log::Policy policy_in(const fs::path& path) {
    auto policy = log::Policy::parse(small_file(path));
    if (!policy) throw WrongUsage{path.string() + ": " + policy.error().where};
    return *std::move(policy);
}

Instant time_in(const std::string& text) {
    const auto time = parse_time(text);
    if (!time) throw WrongUsage{text + ": is not a time such as 2026-03-02 or 2026-03-02T21:40:12"};
    return *time;
}

}  // namespace

int run_export(const fs::path& config_file, const fs::path& directory, std::ostream& out) {
    const auto config = client::load_config(config_file, {});
    const auto lock = client::BoxLock::take(config.data);
    if (!lock) throw std::runtime_error{config.data.string() + ": in use by another program of this agency"};
    SystemClock clock;
    crypto::SystemRandom random;
    client::Box box{config.data, clock, random};
    client::Agent agent{config, box, clock, random};
    WireSource source{agent};
    const auto exported = write_export(source, key_in(config.log_vkey), directory);
    out << "exported " << exported.size << " entries and " << exported.bodies << " bodies, " << exported.bytes
        << " bytes, to " << directory.string() << "\n";
    return 0;
}

int run_verify(const fs::path& directory, const fs::path& policy, const fs::path& vkey, bool json,
               std::ostream& out) {
    const auto trusted = policy.empty() ? log::Policy::of_log(key_in(vkey)) : policy_in(policy);
    const auto verification = verify(directory, trusted);
    tell(out, verification, json);
    return verification.verified() ? 0 : 1;
}

int run_replay(const fs::path& directory, const std::string& from, const std::string& to,
               const std::string& agency, bool json, std::ostream& out) {
    ReplayOptions options;
    options.json = json;
    if (!from.empty()) options.from = time_in(from);
    if (!to.empty()) options.to = time_in(to);
    if (!agency.empty()) {
        const auto id = AgencyId::parse(agency);
        if (!id) throw WrongUsage{agency + ": is not an agency such as police/31"};
        options.agency = *id;
    }
    replay(directory, options, out);
    return 0;
}

int run_complete(const fs::path& directory, bool json, std::ostream& out) {
    const auto completeness = complete(directory);
    tell(out, completeness, json);
    return completeness.complete() ? 0 : 1;
}

}  // namespace flagpost::auditor
