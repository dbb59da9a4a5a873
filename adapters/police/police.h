/// What the force's program does, command by command. Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace flagpost::police {

/// The force's own settings of the config file, each of which feed and import also take as an option or do without:
///
///     spool            = "spool"            # the folder
///     mapping          = "mapping.toml"     # of its CSV or XML files (mapping.h)
///     http_listen      = "127.0.0.1:7480"   # POST /incidents
///     http_token       = "token"            # a private file with at least 16 characters that callers bear
///     http_certificate = "http.crt"         # with http_key: TLS; without, loopback only
///     http_key         = "http.key"
///     http_client_ca   = "callers.crt"      # callers need a certificate of this CA
///     http_client_crl  = "callers.crl"      # its revocation lists (PEM), read again whenever they change
///     outbox_max       = 100000             # with so many unconfirmed nothing more is taken
///     markers          = "gazetteer"        # folder for CSV files of which addresses to mark (markers.h)
const std::vector<std::string>& own_settings();

/// Whose box the force's program opens.
inline const std::vector<std::string> agency_kinds{"police"};

struct FeedOptions {
    std::filesystem::path config, spool, mapping;
    std::string listen;
    bool once = false;  // end when the folder is empty and the broker has answered for every message
    bool json = false;
};
int feed(const FeedOptions& options, std::ostream& out);

struct ImportOptions {
    std::filesystem::path config, file, mapping;
    bool json = false;
};
/// Publishes a file of the past, in portions; interrupted, the same command goes on where it was.
int import_backlog(const ImportOptions& options, std::ostream& out);

/// Shows what a mapping makes of a sample: the first records beside ours, what would be rejected and why, columns nobody
/// asks for. 0 if nothing would be rejected.
int check_mapping(const std::filesystem::path& mapping, const std::filesystem::path& sample,
                  std::size_t records, bool json, std::ostream& out);

/// Sends what waits and receives, until a signal comes.
int run(const std::filesystem::path& config);

struct StatusOptions {
    std::filesystem::path config;
    std::uint32_t matched_hours =
        0;  // how far back the broker is asked what became of incidents; 0: not at all
    bool json = false;
};
/// How many messages were sent, confirmed and refused, and why; of how many incidents anybody had to be told, as counts.
int status(const StatusOptions& options, std::ostream& out);

/// What became of one incident, as the broker's log has it. 1 if the broker knows none of this reference.
int status_of_incident(const std::filesystem::path& config, const std::string& reference, bool json,
                       std::ostream& out);

/// Takes in what came of authorities' flags, writes the files for the gazetteer where the config has a folder, and says how old
/// each list is. Connects to nobody.
int markers(const std::filesystem::path& config, bool json, std::ostream& out);

/// What the broker has told the force of notices that were late, escalated or settled, oldest first.
int reports(const std::filesystem::path& config, bool json, std::ostream& out);

}  // namespace flagpost::police
