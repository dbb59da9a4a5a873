#include "adapters/client/config.h"

#include <openssl/pem.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "broker/core/limits.h"

namespace flagpost::client {
namespace {

constexpr std::array<std::string_view, 9> shared_keys{"broker",   "partnership", "identity", "ca",    "crl",
                                                      "log_vkey", "data",        "durable",  "topics"};

using Bio = std::unique_ptr<BIO, crypto::FreeWith<BIO_free_all>>;

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

/// The file as a table, with errors that name file, line and key.
class Reader {
public:
    explicit Reader(const std::filesystem::path& file) : file_{file} {
        try {
            table_ = toml::parse_file(file.string());
        } catch (const toml::parse_error& error) {
            std::ostringstream what;
            what << file.string() << ":" << error.source().begin.line << ": " << error.description();
            throw std::runtime_error{what.str()};
        }
    }

    [[noreturn]] void fail(std::string_view key, const std::string& why) const {
        std::ostringstream what;
        what << file_.string();
        if (const auto* node = table_.get(key)) what << ":" << node->source().begin.line;
        what << ": " << key << ": " << why;
        throw std::runtime_error{what.str()};
    }

    void only(const std::vector<std::string>& own_keys) const {
        for (const auto& [key, value] : table_)
            if (std::ranges::find(shared_keys, key.str()) == shared_keys.end() &&
                std::ranges::find(own_keys, key.str()) == own_keys.end())
                fail(key.str(), "no such setting");
    }

    std::optional<std::string> optional_text(std::string_view key) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return std::nullopt;
        if (const auto number = node->value_exact<std::int64_t>()) return std::to_string(*number);
        if (const auto yes = node->value_exact<bool>()) return *yes ? "true" : "false";
        const auto string = node->value_exact<std::string>();
        if (!string) fail(key, "should be a text, a whole number, true or false");
        return *string;
    }

    std::string required_text(std::string_view key) const {
        auto string = optional_text(key);
        if (!string || string->empty()) fail(key, "is missing");
        return *string;
    }

    std::filesystem::path path(std::string_view key) const {
        return file_.parent_path() / std::filesystem::path{required_text(key)};
    }

    std::optional<std::filesystem::path> optional_path(std::string_view key) const {
        if (table_.get(key) == nullptr) return std::nullopt;
        return path(key);
    }

    std::optional<std::vector<std::string>> optional_texts(std::string_view key) const {
        const auto* node = table_.get(key);
        if (node == nullptr) return std::nullopt;
        const auto* array = node->as_array();
        if (array == nullptr) fail(key, "should be a list of texts");
        std::vector<std::string> texts;
        for (const auto& item : *array) {
            const auto string = item.value_exact<std::string>();
            if (!string) fail(key, "should be a list of texts");
            texts.push_back(*string);
        }
        return texts;
    }

private:
    std::filesystem::path file_;
    toml::table table_;
};

/// "host:port" or "[address]:port".
std::pair<std::string, std::uint16_t> host_and_port(const Reader& reader) {
    const std::string text = reader.required_text("broker");
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == std::string::npos || colon == 0) reader.fail("broker", "should be host:port");
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || rest != end || port == 0) reader.fail("broker", "should be host:port");
    std::string host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return {host, port};
}

AgencyId agency_of(const Reader& reader, const std::filesystem::path& certificate,
                   const std::string& partnership) {
    const Bio bio{BIO_new_file(certificate.c_str(), "r")};
    if (!bio) reader.fail("identity", certificate.string() + " cannot be opened");
    const crypto::Certificate leaf{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!leaf) reader.fail("identity", certificate.string() + " holds no certificate");
    const auto peer = crypto::read_peer(leaf.get(), partnership, crypto::Purpose::client);
    if (!peer)
        reader.fail("identity", certificate.string() + ": " + std::string{name(peer.error().reason)} + ", " +
                                    peer.error().where);
    return peer->id.agency();
}

/// The mailboxes that every agency of a kind has: results of what it published, and what it is told.
std::vector<std::string> default_topics(const AgencyId& agency) {
    const std::string code{agency.code()};
    std::vector<std::string> topics{"results/" + agency.text(), "reports/" + agency.text()};
    if (agency.kind() == "police")
        topics.insert(topics.end(), {"markers/" + code, "questions/" + code, "notices/police/" + code});
    if (agency.kind() == "social-care")
        topics.insert(topics.end(), {"notices/social-care/" + code, "reviews/" + code});
    if (agency.kind() == "school") topics.push_back("notices/school/" + code);
    if (agency.kind() == "education") topics.push_back("notices/education/" + code);
    if (agency.kind() == "bench" || agency.kind() == "auditor") return {};
    return topics;
}

}  // namespace

Config load_config(const std::filesystem::path& file, const std::vector<std::string>& own_keys) {
    const Reader reader{file};
    reader.only(own_keys);

    const auto [host, port] = host_and_port(reader);
    const std::string partnership = reader.required_text("partnership");
    const std::filesystem::path identity = reader.path("identity");
    const crypto::TlsFiles tls{identity / "tls.crt", identity / "tls.key", reader.path("ca"),
                               reader.optional_path("crl").value_or("")};
    const AgencyId agency = agency_of(reader, tls.certificate, partnership);

    const std::string durable = reader.optional_text("durable").value_or("main");
    if (durable.empty() || durable.size() > limits::name_size_max) reader.fail("durable", "1 to 64 bytes");
    auto topics = reader.optional_texts("topics").value_or(default_topics(agency));
    if (topics.size() > limits::topics_per_session_max) reader.fail("topics", "too many");

    std::map<std::string, std::string> extra;
    for (const auto& key : own_keys)
        if (auto value = reader.optional_text(key)) extra.emplace(key, *value);

    return Config{host,
                  port,
                  partnership,
                  agency,
                  tls,
                  identity / "origin.key",
                  identity / "witness.key",
                  reader.path("log_vkey"),
                  reader.path("data"),
                  durable,
                  std::move(topics),
                  std::move(extra)};
}

log::VerifierKey read_vkey(const std::filesystem::path& file) {
    auto key = log::VerifierKey::parse(read_text(file));
    if (!key) throw std::runtime_error{file.string() + " holds no verifier key: " + key.error().where};
    return *key;
}

}  // namespace flagpost::client
