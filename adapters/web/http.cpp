#include "adapters/web/http.h"

#include <algorithm>

namespace flagpost::web {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                   hex_digit(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

std::string first(const Fields& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string{} : found->second;
}

constexpr std::pair<const char*, const char*> on_every_answer[] = {
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
     "frame-ancestors 'none'; base-uri 'none'"                                         },
    {"Strict-Transport-Security",    "max-age=31536000"                                },
    {"X-Content-Type-Options",       "nosniff"                                         },
    {"X-Frame-Options",              "DENY"                                            },
    {"Referrer-Policy",              "same-origin"                                     },
    {"Cross-Origin-Opener-Policy",   "same-origin"                                     },
    {"Cross-Origin-Resource-Policy", "same-origin"                                     },
    {"Permissions-Policy",
     "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"},
    {"X-Robots-Tag",                 "noindex, nofollow"                               },
};

}  // namespace

bool LessWithoutCase::operator()(const std::string& a, const std::string& b) const {
    return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
}

std::string Request::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
}

std::string Request::cookie(const std::string& name) const {
    const std::string all = header("Cookie");
    for (std::size_t at = 0; at < all.size();) {
        const auto end = std::min(all.find(';', at), all.size());
        std::string_view one{all.data() + at, end - at};
        while (one.starts_with(' ')) one.remove_prefix(1);
        if (one.starts_with(name + "=")) return std::string{one.substr(name.size() + 1)};
        at = end + 1;
    }
    return {};
}

std::string Request::field(const std::string& name) const { return first(form, name); }
std::string Request::parameter(const std::string& name) const { return first(query, name); }

std::optional<std::string> Response::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return std::nullopt;
}

std::optional<Fields> parse_fields(std::string_view text) {
    Fields fields;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto one = text.substr(0, end);
        const auto equals = std::min(one.find('='), one.size());
        if (fields.size() == fields_max) return std::nullopt;
        if (!one.empty())
            fields.emplace(decoded(one.substr(0, equals)),
                           equals < one.size() ? decoded(one.substr(equals + 1)) : std::string{});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return fields;
}

std::string encoded(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                           (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

Response redirect(const std::string& to) {
    Response response;
    response.status = 303;
    response.headers.emplace_back("Location", to);
    return response;
}

void harden(Response& response) {
    for (const auto& [name, value] : on_every_answer)
        if (!response.header(name)) response.headers.emplace_back(name, value);
    if (!response.header("Cache-Control")) response.headers.emplace_back("Cache-Control", "no-store");
}

}  // namespace flagpost::web
