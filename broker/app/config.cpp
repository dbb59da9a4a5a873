#include "broker/app/config.h"

#include <toml++/toml.h>

#include <charconv>
#include <set>
#include <stdexcept>

#include "broker/manage/server.h"

namespace flagpost::app {
namespace {

using std::filesystem::path;

/// One config file, read key by key by dotted name; what nobody asked for is an error in the end.
class Settings {
public:
    explicit Settings(path file) : file_{std::move(file)} {
        try {
            table_ = toml::parse_file(file_.string());
        } catch (const toml::parse_error& error) {
            throw std::runtime_error{file_.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                                     std::string{error.description()}};
        }
    }

    [[noreturn]] void fail(const std::string& key, const std::string& why) const {
        std::string place = file_.string();
        if (const auto node = table_.at_path(key); node)
            place += ":" + std::to_string(node.node()->source().begin.line);
        throw std::runtime_error{place + ": " + key + ": " + why};
    }

    std::optional<std::string> text(const std::string& key) {
        known_.insert(key);
        const auto node = table_.at_path(key);
        if (!node) return std::nullopt;
        auto value = node.value_exact<std::string>();
        if (!value || value->empty()) fail(key, "should be a text");
        return value;
    }

    std::string required(const std::string& key) {
        auto value = text(key);
        if (!value) fail(key, "is missing");
        return *value;
    }

    /// The file at `key`, or at `under_pki` in the folder `pki` names.
    path file(const std::string& key, const char* under_pki) {
        if (const auto value = text(key)) return beside(*value);
        const auto pki = text("pki");
        if (!pki) fail(key, "is missing, and there is no pki to find it in");
        return beside(*pki) / under_pki;
    }

    /// "env:…" and "credential:…" as they stand, a path beside the file.
    std::optional<std::string> key_source(const std::string& key) {
        auto value = text(key);
        if (!value || value->starts_with("env:") || value->starts_with("credential:")) return value;
        return beside(*value).string();
    }

    /// A whole number of hours, 1 or more.
    std::chrono::minutes hours(const std::string& key, std::chrono::minutes otherwise) {
        known_.insert(key);
        const auto node = table_.at_path(key);
        if (!node) return otherwise;
        const auto value = node.value_exact<std::int64_t>();
        constexpr std::int64_t year = 366 * 24;
        if (!value || *value < 1 || *value > year) fail(key, "should be a number of hours, 1 to a year's");
        return std::chrono::hours{*value};
    }

    path beside(const path& relative) const { return file_.parent_path() / relative; }

    bool has(const std::string& key) const { return static_cast<bool>(table_.at_path(key)); }

    void no_others() const { no_others(table_, ""); }

private:
    void no_others(const toml::table& table, const std::string& prefix) const {
        for (const auto& [key, node] : table) {
            const std::string name = prefix + std::string{key.str()};
            if (const auto* inner = node.as_table(); inner != nullptr && prefix.empty())
                no_others(*inner, name + ".");
            else if (!known_.contains(name))
                fail(name, "no such setting");
        }
    }

    path file_;
    toml::table table_;
    std::set<std::string> known_;
};

Listen listen_at(Settings& settings, const std::string& key = "listen") {
    const std::string text = settings.required(key);
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string::npos || colon == 0) settings.fail(key, "should be address:port");
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || rest != end) settings.fail(key, "should be address:port");
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return {host, port};
}

crypto::TlsFiles tls_files(Settings& settings) {
    return {settings.file("tls.certificate", "broker/tls.crt"), settings.file("tls.key", "broker/tls.key"),
            settings.file("tls.ca", "ca.crt"), settings.file("tls.crl", "crl.pem")};
}

Fabric fabric_at(Settings& settings) {
    static constexpr std::string_view scheme = "ipc://";
    const std::string endpoint = settings.required("fabric.endpoint");
    if (!endpoint.starts_with(scheme)) settings.fail("fabric.endpoint", "should be ipc://path");
    const path socket = settings.beside(endpoint.substr(scheme.size()));
    return {std::string{scheme} + socket.string(), settings.file("fabric.key", "broker/fabric.key")};
}

LogKeys log_keys(Settings& settings) {
    LogKeys keys{settings.file("keys.log_key", "broker/log.key"),
                 settings.file("keys.log_vkey", "broker/log.vkey")};
    if (const auto key = settings.text("keys.log_key_previous")) keys.key_previous = settings.beside(*key);
    if (const auto key = settings.text("keys.log_vkey_previous")) keys.vkey_previous = settings.beside(*key);
    if (keys.key_previous && !keys.vkey_previous)
        settings.fail("keys.log_key_previous", "needs log_vkey_previous");
    return keys;
}

Management management_at(Settings& settings) {
    Management management;
    auto& patience = management.patience;
    patience.silence = settings.hours("management.silence_hours", patience.silence);
    patience.feed_age = settings.hours("management.feed_age_hours", patience.feed_age);
    patience.roll_age = settings.hours("management.roll_age_hours", patience.roll_age);
    if (!settings.has("management.listen")) return management;
    management.listen = listen_at(settings, "management.listen");
    if (!manage::is_loopback(management.listen->host))
        settings.fail("management.listen", "should be an address of this machine alone, such as 127.0.0.1");
    return management;
}

}  // namespace

BrokerConfig load_broker_config(const path& file) {
    Settings settings{file};
    BrokerConfig config;
    config.partnership = settings.required("partnership");
    config.data = settings.beside(settings.required("data"));
    config.agreement = settings.beside(settings.required("agreement"));
    config.parties = settings.file("parties", "parties.toml");
    config.keys = settings.file("keys.directory", "broker");
    config.masters = {settings.key_source("keys.master"), settings.key_source("keys.master_previous")};
    config.log = log_keys(settings);
    if (const auto socket = settings.text("signer.socket")) config.signer = settings.beside(*socket);
    if (settings.has("listen")) config.listen = listen_at(settings);
    if (settings.has("listen") || settings.has("tls")) config.tls = tls_files(settings);
    if (settings.has("fabric")) config.fabric = fabric_at(settings);
    config.management = management_at(settings);
    settings.no_others();
    if (!config.listen && !config.fabric) settings.fail("listen", "is missing, and so is fabric.endpoint");
    return config;
}

GateConfig load_gate_config(const path& file) {
    Settings settings{file};
    GateConfig config;
    config.partnership = settings.required("partnership");
    config.listen = listen_at(settings);
    config.tls = tls_files(settings);
    config.fabric = fabric_at(settings);
    settings.no_others();
    return config;
}

SignerConfig load_signer_config(const path& file) {
    Settings settings{file};
    SignerConfig config;
    config.socket = settings.beside(settings.required("signer.socket"));
    config.state = settings.beside(settings.required("state"));
    config.keys = log_keys(settings);
    settings.no_others();
    return config;
}

}  // namespace flagpost::app
