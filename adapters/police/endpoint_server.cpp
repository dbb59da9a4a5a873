#include <httplib.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <stdexcept>
#include <thread>

#include "adapters/http/bounded_queue.h"
#include "adapters/police/endpoint.h"
#include "broker/crypto/revocation.h"

namespace flagpost::police {
namespace {

constexpr std::size_t connections_waiting_max = 32;  // accepted, not served yet; then accept waits
constexpr std::chrono::seconds slow_patience{5};     // for the next bytes of a caller

/// As OpenSSL takes them.
using Lists = std::shared_ptr<STACK_OF(X509_CRL)>;

std::vector<const X509_CRL*> each_of(const Lists& lists) {
    std::vector<const X509_CRL*> all;
    for (int i = 0; lists && i < sk_X509_CRL_num(lists.get()); ++i)
        all.push_back(sk_X509_CRL_value(lists.get(), i));
    return all;
}

/// Throws CryptoFailure; also where one is older than the one `held` until now.
Lists read_lists(const std::filesystem::path& file, const Lists& held = {}) {
    const Lists lists{sk_X509_CRL_new_null(),
                      [](STACK_OF(X509_CRL) * all) { sk_X509_CRL_pop_free(all, X509_CRL_free); }};
    for (auto& list : crypto::read_revocation_lists(file))
        if (sk_X509_CRL_push(lists.get(), list.get()) > 0) (void)list.release();
    crypto::refuse_older(each_of(lists), each_of(held));
    return lists;
}

/// Which callers' certificates are revoked, as the file says now. Where it cannot be read, or holds an older list, the lists before
/// stay in force, until the day they themselves say: after it nobody is let in. Safe for several threads.
class Revocations {
public:
    explicit Revocations(std::filesystem::path file)
        : file_{std::move(file)},
          written_{std::filesystem::last_write_time(file_)},
          lists_{read_lists(file_)} {}

    /// In place of OpenSSL's own check of a caller's chain.
    static int verify(X509_STORE_CTX* chain, void* self) {
        const Lists lists = static_cast<Revocations*>(self)->in_force();
        X509_STORE_CTX_set0_crls(chain, lists.get());
        X509_STORE_CTX_set_flags(chain, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
        const int good = X509_verify_cert(chain);
        if (good != 1)
            spdlog::warn("refused a caller's certificate: {}",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain)));
        X509_STORE_CTX_set0_crls(chain, nullptr);
        return good;
    }

private:
    Lists in_force() {
        const std::lock_guard lock{lock_};
        std::error_code missing;
        const auto written = std::filesystem::last_write_time(file_, missing);
        if (missing || written == written_) return lists_;
        written_ = written;
        try {
            lists_ = read_lists(file_, lists_);
        } catch (const std::exception& error) {
            spdlog::error("the revocation lists before stay in force: {}", error.what());
        }
        return lists_;
    }

    const std::filesystem::path file_;
    std::mutex lock_;  // guards what follows
    std::filesystem::file_time_type written_;
    Lists lists_;
};

std::unique_ptr<Revocations> revocations_of(const EndpointSettings& settings) {
    if (settings.client_ca.empty()) return nullptr;
    if (settings.client_crl.empty())
        throw std::runtime_error{
            "http_client_ca needs http_client_crl: else a caller whose certificate was revoked could "
            "publish"};
    return std::make_unique<Revocations>(settings.client_crl);
}

std::unique_ptr<httplib::Server> make_server(const EndpointSettings& settings, Revocations* revocations) {
    if (settings.certificate.empty()) {
        if (!http::is_loopback(settings.host))
            throw std::runtime_error{
                "incidents without TLS are taken from this machine only: give http_certificate and http_key, "
                "or "
                "listen on 127.0.0.1"};
        return std::make_unique<httplib::Server>();
    }
    auto server = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
        if (SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) != 1 ||
            SSL_CTX_use_certificate_chain_file(&context, settings.certificate.c_str()) != 1 ||
            SSL_CTX_use_PrivateKey_file(&context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_check_private_key(&context) != 1)
            return false;
        if (settings.client_ca.empty()) return true;
        SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        SSL_CTX_set_cert_verify_callback(&context, &Revocations::verify, revocations);
        // Whoever resumes a session is not looked at again.
        SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
        if (SSL_CTX_set_num_tickets(&context, 0) != 1) return false;
        return SSL_CTX_load_verify_locations(&context, settings.client_ca.c_str(), nullptr) == 1;
    });
    if (!server->is_valid())
        throw std::runtime_error{settings.certificate.string() +
                                 ", its key or the CA for callers cannot be used"};
    return server;
}

Call call_of(const httplib::Request& from) {
    return {from.method,
            from.path,
            from.get_header_value("Content-Type"),
            from.get_header_value("Authorization"),
            {}};
}

void give(const Reply& from, httplib::Response& to) {
    to.status = from.status;
    for (const auto& [name, value] : from.headers) to.set_header(name, value);
    to.set_header("Cache-Control", "no-store");
    to.set_content(from.body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                   "application/json");
}

}  // namespace

class EndpointServer::Impl {
public:
    Impl(Endpoint& endpoint, const EndpointSettings& settings)
        : endpoint_{endpoint},
          revocations_{revocations_of(settings)},
          server_{make_server(settings, revocations_.get())} {
        server_->new_task_queue = [] {
            return new http::BoundedQueue{endpoint_connections_max, connections_waiting_max};
        };
        server_->set_payload_max_length(endpoint_body_max);
        server_->set_read_timeout(slow_patience);
        server_->set_write_timeout(slow_patience);
        server_->set_keep_alive_timeout(2);
        server_->set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
            if (from.method == "POST") return httplib::Server::HandlerResponse::Unhandled;
            give(endpoint_.answer(call_of(from)), to);
            return httplib::Server::HandlerResponse::Handled;
        });
        server_->Post(".*", [this](const httplib::Request& from, httplib::Response& to,
                                   const httplib::ContentReader& reader) { take(from, to, reader); });
        // What the library itself refuses.
        server_->set_error_handler([](const httplib::Request&, httplib::Response& to) {
            if (!to.body.empty()) return;
            if (to.status == 413) return give(too_large(), to);
            give(
                {
                    to.status, {{"error", "malformed"}, {"problems", nlohmann::json::array()}},
                     {                      }
            },
                to);
        });
        port_ = settings.port;
        if (settings.port == 0)
            port_ = server_->bind_to_any_port(settings.host);
        else if (!server_->bind_to_port(settings.host, settings.port))
            port_ = -1;
        if (port_ <= 0)
            throw std::runtime_error{"cannot listen on " + settings.host + ":" +
                                     std::to_string(settings.port)};
        thread_ = std::jthread{[this] {
            if (!server_->listen_after_bind()) failed_ = true;
            ended_ = true;
        }};
    }
    ~Impl() {
        while (!server_->is_running() && !ended_)
            std::this_thread::yield();  // before it runs it hears no stop
        server_->stop();
    }

    int port() const { return port_; }
    void check() const {
        if (failed_) throw std::runtime_error{"incidents cannot be taken over HTTP any more"};
    }

private:
    /// Reads no more than the bound, however the body comes: of one sent in chunks the library does not count the bytes. What a
    /// caller sends who is refused anyway is read, or they would not hear why, and not kept.
    void take(const httplib::Request& from, httplib::Response& to, const httplib::ContentReader& reader) {
        Call call = call_of(from);
        const auto refused = endpoint_.refusal_of(call);
        std::size_t came = 0;
        const bool whole = reader([&](const char* data, std::size_t size) {
            came += size;
            if (came <= endpoint_body_max && !refused) call.body.append(data, size);
            return came <= endpoint_body_max;
        });
        if (!whole) {
            to.status = came <= endpoint_body_max && to.status != 413 ? 400 : 413;
            to.set_header("Connection", "close");
            return;
        }
        const http::Turn turn{turns_};
        give(refused ? *refused : endpoint_.answer(call), to);
    }

    Endpoint& endpoint_;
    const std::unique_ptr<Revocations> revocations_;
    std::counting_semaphore<> turns_{endpoint_calls_max};
    std::unique_ptr<httplib::Server> server_;
    int port_ = 0;
    std::atomic<bool> failed_ = false, ended_ = false;
    std::jthread thread_;
};

EndpointServer::EndpointServer(Endpoint& endpoint, const EndpointSettings& settings)
    : impl_{std::make_unique<Impl>(endpoint, settings)} {}
EndpointServer::~EndpointServer() = default;
int EndpointServer::port() const { return impl_->port(); }
void EndpointServer::check() const { impl_->check(); }

}  // namespace flagpost::police
