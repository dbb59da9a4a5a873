#include "adapters/web/server.h"

// Debian compiles the library with three features; the flags that say so come from pkg-config. Without them the classes
// here would be of other sizes than there.
#include <httplib.h>
#include <openssl/ssl.h>

#include <stdexcept>

#include "adapters/http/bounded_queue.h"
#include "adapters/web/site.h"

namespace flagpost::web {
namespace {

constexpr std::uint64_t small_upload_size_max =
    256u << 10;  // bytes; read from anybody, so that they learn why not

std::unique_ptr<httplib::Server> make_server(const ListenSettings& settings) {
    if (settings.certificate.empty()) {
        if (!http::is_loopback(settings.host))
            throw std::runtime_error{
                "pages without a certificate are served to this machine only: give "
                "web_certificate and web_key, or listen on 127.0.0.1"};
        return std::make_unique<httplib::Server>();
    }
    auto server = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
        return SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) == 1 &&
               SSL_CTX_use_certificate_chain_file(&context, settings.certificate.c_str()) == 1 &&
               SSL_CTX_use_PrivateKey_file(&context, settings.key.c_str(), SSL_FILETYPE_PEM) == 1 &&
               SSL_CTX_check_private_key(&context) == 1;
    });
    if (!server->is_valid())
        throw std::runtime_error{settings.certificate.string() + " and its key cannot be used"};
    return server;
}

void give(const Response& from, httplib::Response& to) {
    to.status = from.status;
    for (const auto& [name, value] : from.headers) to.set_header(name, value);
    to.set_content(from.body, from.type);
}

/// Without the form.
Request head_of(const httplib::Request& from) {
    Request request;
    request.method = from.method;
    request.path = from.path;
    for (const auto& [name, value] : from.headers) request.headers.emplace(name, value);
    return request;
}

/// Fields and files of a multipart form; false if there are more than anybody needs.
bool take_parts(const httplib::Request& from, Request& request) {
    if (from.files.size() > upload_parts_max) return false;
    for (const auto& [name, part] : from.files) {
        if (part.filename.empty() && part.content.size() <= form_size_max)
            request.form.emplace(name, part.content);
        else if (!request.files.emplace(name, Upload{part.filename, part.content}).second)
            return false;
    }
    return true;
}

/// Nothing if it has more fields than anybody needs.
std::optional<Request> request_of(const httplib::Request& from) {
    Request request = head_of(from);
    const auto question = from.target.find('?');
    auto query =
        parse_fields(question == std::string::npos ? std::string_view{}
                                                   : std::string_view{from.target}.substr(question + 1));
    auto form =
        parse_fields(from.body.size() > form_size_max ? std::string_view{} : std::string_view{from.body});
    if (!query || !form) return std::nullopt;
    request.query = std::move(*query);
    if (from.get_header_value("Content-Type").starts_with("application/x-www-form-urlencoded"))
        request.form = std::move(*form);
    if (!take_parts(from, request)) return std::nullopt;
    return request;
}

}  // namespace

class Server::Impl {
public:
    Impl(Site& site, const ListenSettings& settings) : site_{site}, server_{make_server(settings)} {
        server_->new_task_queue = [] {
            return new http::BoundedQueue{web_connections_max, connections_waiting_max};
        };
        server_->set_payload_max_length(upload_size_max);
        server_->set_read_timeout(web_patience);
        server_->set_write_timeout(web_patience);
        server_->set_keep_alive_max_count(100);
        server_->set_keep_alive_timeout(2);
        // What has no body is answered here: the library would treat HEAD as GET.
        server_->set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
            if (from.method == "POST" && from.path.size() <= path_size_max) {
                if (is_worth_reading(from)) return httplib::Server::HandlerResponse::Unhandled;
                to.set_header("Connection", "close");  // what is not read would be taken for the next request
                give(refusal(413), to);
                return httplib::Server::HandlerResponse::Handled;
            }
            answer(from, to);
            return httplib::Server::HandlerResponse::Handled;
        });
        server_->Post(".*",
                      [this](const httplib::Request& from, httplib::Response& to) { answer(from, to); });
        // What the library itself refuses: nothing of the request comes back.
        server_->set_error_handler([this](const httplib::Request&, httplib::Response& to) {
            if (to.body.empty() && !to.has_header("Content-Security-Policy")) give(refusal(to.status), to);
        });
        port_ = settings.port;
        if (settings.port == 0)
            port_ = server_->bind_to_any_port(settings.host);
        else if (!server_->bind_to_port(settings.host, settings.port))
            port_ = -1;
        if (port_ <= 0)
            throw std::runtime_error{"cannot listen on " + settings.host + ":" +
                                     std::to_string(settings.port)};
    }

    int port() const { return port_; }
    void run() {
        if (!server_->listen_after_bind()) throw std::runtime_error{"the pages cannot be served any more"};
    }
    void stop() { server_->stop(); }

private:
    Response refusal(int status) {
        Response response = site_.turned_away(status);
        harden(response);
        return response;
    }

    /// Judged before the body is read, by its announced length: only who may send files fills this program's memory.
    bool is_worth_reading(const httplib::Request& from) {
        if (from.get_header_value("Transfer-Encoding") != "") return false;  // of a length nobody has said
        const auto size = from.get_header_value<std::uint64_t>("Content-Length");
        if (size <= form_size_max) return true;
        if (!site_.takes_files(from.method, from.path)) return false;
        return size <= small_upload_size_max ||
               (size <= upload_size_max && site_.may_send_files(head_of(from)));
    }

    void answer(const httplib::Request& from, httplib::Response& to) {
        const http::Turn turn{turns_};
        const auto request = request_of(from);
        give(request ? site_.handle(*request) : refusal(400), to);
    }

    Site& site_;
    std::counting_semaphore<> turns_{web_requests_max};
    std::unique_ptr<httplib::Server> server_;
    int port_ = 0;
};

Server::Server(Site& site, const ListenSettings& settings) : impl_{std::make_unique<Impl>(site, settings)} {}
Server::~Server() = default;
int Server::port() const { return impl_->port(); }
void Server::run() { impl_->run(); }
void Server::stop() { impl_->stop(); }

}  // namespace flagpost::web
