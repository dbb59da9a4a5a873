#include "adapters/web/site.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "adapters/desk/words.h"
#include "adapters/web/assets.h"
#include "adapters/web/when.h"
#include "adapters/web/words.h"
#include "broker/core/ids.h"
#include "web_templates.h"

namespace flagpost::web {
namespace {

constexpr auto cookie_name = "__Host-fp_session";
constexpr auto cookie_attributes = "; Path=/; Secure; HttpOnly; SameSite=Strict";
constexpr auto new_password_path = "/new-password";
const std::string users_prefix = "users/";
constexpr auto signed_in_entry = "signed in";
constexpr auto proxy_secret_header = "Flagpost-Proxy-Secret";

std::vector<std::string> segments_of(const std::string& path) {
    std::vector<std::string> segments;
    for (std::size_t at = 1; at <= path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        segments.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return segments;
}

bool is_prefetch(const Request& request) {
    return request.header("Sec-Purpose").find("prefetch") != std::string::npos ||
           request.header("Purpose").find("prefetch") != std::string::npos;
}

Response bare(int status) {
    Response response;
    response.status = status;
    response.type = "text/plain; charset=utf-8";
    return response;
}

void set_cookie(Response& response, const std::string& value) {
    response.headers.emplace_back("Set-Cookie", std::string{cookie_name} + "=" + value + cookie_attributes);
}

Response answer_asset(const Asset& asset) {
    Response response;
    response.type = asset.type;
    response.body = asset.content;
    response.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    return response;
}

}  // namespace

bool is_watching(const Request& request) {
    return request.method == "GET" && request.path == "/inbox" &&
           request.parameter("watch") == std::to_string(watch_every.count());
}

Site::Site(SiteSettings settings, People& people, Clock& clock, Random& random)
    : settings_{std::move(settings)}, people_{people}, clock_{clock}, random_{random}, sessions_{random} {
    templates_.add_all(frame_templates);
    navigation_ = [](const Person&, Instant) { return std::vector<NavigationItem>{}; };
    connection_ = [] { return Connection{}; };
    keep_ = [this](const Person& person) {
        people_.put(person);
        return true;
    };
}

void Site::get(const std::string& pattern, std::set<std::string> roles, Handler handler) {
    routes_.push_back({"GET", segments_of(pattern), std::move(roles), std::move(handler)});
}
void Site::post(const std::string& pattern, std::set<std::string> roles, Handler handler) {
    routes_.push_back({"POST", segments_of(pattern), std::move(roles), std::move(handler)});
}
void Site::post_file(const std::string& pattern, std::set<std::string> roles, Handler handler) {
    routes_.push_back({"POST", segments_of(pattern), std::move(roles), std::move(handler), true});
}
bool Site::takes_files(const std::string& method, const std::string& path) const {
    std::map<std::string, std::string> parts;
    if (path.size() > path_size_max || !path.starts_with('/')) return false;
    const Route* route = find(method, path, parts);
    return route != nullptr && route->files;
}
bool Site::may_send_files(const Request& request) {
    std::map<std::string, std::string> parts;
    const Route* route = find(request.method, request.path, parts);
    const auto session = sessions_.use(request.cookie(cookie_name), clock_.now());
    const auto person = session && session->whole ? people_.find(session->person) : std::nullopt;
    return route != nullptr && person && route->roles.contains(person->role) && from_our_page(request);
}
void Site::set_navigation(std::function<std::vector<NavigationItem>(const Person&, Instant)> navigation) {
    navigation_ = std::move(navigation);
}
void Site::set_connection(std::function<Connection()> connection) { connection_ = std::move(connection); }
void Site::set_standing(std::function<std::string(Instant)> standing) { standing_ = std::move(standing); }

Response Site::handle(const Request& request) {
    Response response;
    try {
        response = answer(request);
    } catch (const std::exception& error) {
        spdlog::error("a page could not be made: {}", error.what());
        response = problem(nullptr);
    }
    harden(response);
    return response;
}

Response Site::answer(const Request& request) {
    if (request.path.size() > path_size_max || !request.path.starts_with('/')) return bare(404);
    if (request.method != "GET" && request.method != "POST") {
        // HEAD too: it would record a consultation of what nobody has seen.
        Response response = bare(405);
        response.headers.emplace_back("Allow", "GET, POST");
        return response;
    }
    if (is_prefetch(request)) return bare(503);  // nobody has asked to see it yet
    const Instant now = clock_.now();
    if (auto response = open_to_all(request, now)) return *response;
    if (auto response = through_proxy(request, now)) return *response;
    const auto session = living(request, now);
    if (!session) return ended(request, now);
    if (!session->whole) return code(request, *session, now);
    const auto person = people_.find(session->person, desk::local_day(now));
    if (!person) {
        sessions_.close_all_of(session->person);
        return redirect("/sign-in");
    }
    const bool leaves = request.method == "POST" && request.path == "/sign-out";
    if (person->one_time && !leaves) return new_password(request, *person, *session, now);
    return routed(request, *person, *session, now);
}

std::optional<Session> Site::living(const Request& request, Instant now) {
    const auto cookie = request.cookie(cookie_name);
    return is_watching(request) ? sessions_.look(cookie, now) : sessions_.use(cookie, now);
}

std::optional<Response> Site::open_to_all(const Request& request, Instant now) {
    const bool get = request.method == "GET";
    if (request.path.starts_with("/assets/")) {
        const auto asset = find_asset(request.path);
        return asset && get ? answer_asset(*asset) : bare(404);
    }
    if (request.path == "/accessibility" && get) return plain("accessibility", "Accessibility", 200, {});
    if (request.path == "/privacy" && get) return plain("privacy", "Privacy", 200, {});
    if (request.path == "/cookies" && get) return plain("cookies", "Cookies", 200, {});
    if (request.path == "/hide" && get) return plain("hide", "Screen hidden", 200, {});
    if (request.path == "/sign-in" && settings_.proxy_header.empty())
        return get ? sign_in_page({}, {}, 200, what_ended(request, now)) : sign_in(request, now);
    return std::nullopt;
}

std::optional<Response> Site::through_proxy(const Request& request, Instant now) {
    if (settings_.proxy_header.empty()) return std::nullopt;
    const auto person = people_.find(request.header(settings_.proxy_header), desk::local_day(now));
    if (!same(request.header(proxy_secret_header), settings_.proxy_secret) || !person) {
        spdlog::warn("refused: not signed in by the proxy");
        return plain("message", "Not signed in", 401,
                     View{}
                         .text("heading", "You are not signed in")
                         .text("words", "Sign in through your organisation's own page."));
    }
    if (request.path == "/sign-in" && request.method == "GET")
        return plain(
            "message", "Signed out", 200,
            View{}.text("heading", "You are signed out of Flagpost").text("words", words::proxy_signed_out));
    const auto session = living(request, now);
    if (session && session->person == person->name) return routed(request, *person, *session, now);
    if (request.method == "POST") {
        const bool kept = keep_form(request, now);
        if (request.path == "/sign-out") return redirect("/sign-in");
        return redirect(page_of_form(request.path) + (kept ? "?kept=1" : ""));
    }
    if (is_watching(request)) return redirect(request.path);  // a session begins by somebody's doing
    const auto opened = sessions_.open(person->name, true, now);
    Response response = routed(request, *person, opened.session, now);
    set_cookie(response, opened.cookie);
    return response;
}

const Site::Route* Site::find(const std::string& method, const std::string& path,
                              std::map<std::string, std::string>& parts) const {
    const auto segments = segments_of(path);
    for (const Route& route : routes_) {
        if (route.method != method || route.pattern.size() != segments.size()) continue;
        parts.clear();
        bool fits = true;
        for (std::size_t i = 0; fits && i < segments.size(); ++i) {
            const std::string& wanted = route.pattern[i];
            if (wanted.starts_with('{'))
                parts.emplace(wanted.substr(1, wanted.size() - 2), segments[i]);
            else
                fits = wanted == segments[i];
        }
        if (fits) return &route;
    }
    return nullptr;
}

Response Site::routed(const Request& request, const Person& person, const Session& session, Instant now) {
    const auto with_form = restored(request, person, now);
    Visit visit{with_form ? *with_form : request, person, session, now, {}, with_form.has_value()};
    try {
        if (request.method == "POST" && refused_form(request, session))
            return message(visit, 400, "This form was not accepted",
                           "It did not come from a page of this service that you have open. Nothing was "
                           "recorded. Go back, open the page again and try once more.");
        if (request.method == "POST" && request.path == "/sign-out") return sign_out(request);
        if (request.method == "GET" && request.path == "/") return redirect(home(person, now));
        const Route* route = find(request.method, request.path, visit.parts);
        if (route == nullptr || !route->roles.contains(person.role)) return not_found(visit);
        return route->handler(visit);
    } catch (const std::exception& error) {
        spdlog::error("a page could not be made: {}", error.what());
        return problem(&visit);
    }
}

Response Site::ended(const Request& request, Instant now) {
    if (request.method == "POST") keep_form(request, now);
    return redirect("/sign-in");
}

/// A form that came without a living session is kept for the person whose it was, if they sign in again soon.
bool Site::keep_form(const Request& request, Instant now) {
    std::map<std::string, std::string> parts;
    const auto session = sessions_.ended(request.cookie(cookie_name), now);
    if (!session || find("POST", request.path, parts) == nullptr || refused_form(request, *session))
        return false;
    sessions_.keep(session->person, {request.path, request.form, now});
    return true;
}

/// A form stands on a page of its own, or on the one that its path is below.
std::string Site::page_of_form(const std::string& path) const {
    std::map<std::string, std::string> parts;
    const Route* form = find("POST", path, parts);
    const bool own = form != nullptr && std::ranges::any_of(routes_, [&](const Route& route) {
                         return route.method == "GET" && route.pattern == form->pattern;
                     });
    if (own) return path;
    const auto above = path.substr(0, path.rfind('/'));
    return find("GET", above, parts) != nullptr ? above : "/";
}

/// The request for a page as if the form that is kept for it had just been filled in; given once.
std::optional<Request> Site::restored(const Request& request, const Person& person, Instant now) {
    if (request.method != "GET" || request.parameter("kept") != "1") return std::nullopt;
    const auto path = sessions_.kept_path(person.name, now);
    if (!path || page_of_form(*path) != request.path) return std::nullopt;
    auto form = sessions_.take_kept(person.name, now);
    if (!form) return std::nullopt;
    Request with_form = request;
    with_form.form = std::move(form->fields);
    for (const auto* own : {"csrf", "once"}) with_form.form.erase(own);  // the page has others now
    return with_form;
}

/// Why whoever comes to the page for signing in has to do so again; empty: for no reason that is known.
std::string Site::what_ended(const Request& request, Instant now) {
    const auto session = sessions_.ended(request.cookie(cookie_name), now);
    if (!session) return {};
    return sessions_.kept_path(session->person, now) ? words::ended_and_kept : words::ended;
}

bool Site::from_our_page(const Request& request) const {
    const std::string site = request.header("Sec-Fetch-Site");
    return site.empty() ? request.header("Origin") == settings_.origin : site == "same-origin";
}

bool Site::token_fits(const Session& session, const std::string& given) const {
    const auto bytes = from_hex(given), wanted = from_hex(session.csrf);
    if (!bytes || !wanted || bytes->size() != 2 * wanted->size()) return false;
    Bytes unmasked(wanted->size());
    for (std::size_t i = 0; i < wanted->size(); ++i) unmasked[i] = (*bytes)[i] ^ (*bytes)[wanted->size() + i];
    return same(text(unmasked), text(*wanted));
}

std::string Site::token(const Session& session) {
    const auto wanted = from_hex(session.csrf).value();
    const auto mask = random_.bytes<32>();
    Bytes bytes{mask.begin(), mask.end()};
    for (std::size_t i = 0; i < wanted.size(); ++i) bytes.push_back(mask.at(i) ^ wanted[i]);
    return to_hex(bytes);
}

bool Site::refused_form(const Request& request, const Session& session) const {
    const bool ours = from_our_page(request);
    if (ours && token_fits(session, request.field("csrf"))) return false;
    spdlog::warn("refused a form of {}: {}", session.person, ours ? "wrong token" : "not from our own page");
    return true;
}

std::string Site::once() { return to_hex(make_uuid7(clock_.now(), random_)); }

std::string Site::home(const Person& person, Instant now) const {
    const auto items = navigation_(person, now);
    return items.empty() ? "/cookies" : items.front().href;
}

// --- signing in

Response Site::sign_in(const Request& request, Instant now) {
    if (!from_our_page(request)) {
        spdlog::warn("refused to sign somebody in: not from our own page");
        return sign_in_page({}, words::sign_in_wrong, 400);
    }
    const std::string name = request.field("name").substr(0, 100);
    if (throttle_.waits(name, now)) return sign_in_page(name, words::sign_in_wait, 429);
    const auto person = people_.find(name);
    const bool right = check_password(person ? person->password : std::string{}, request.field("password"));
    if (!person || !right) {
        throttle_.failed(name, now);
        spdlog::warn("a sign-in failed");
        return sign_in_page(name, words::sign_in_wrong, 422);
    }
    const auto opened = sessions_.open(person->name, false, now);
    Response response = redirect("/sign-in/code");
    set_cookie(response, opened.cookie);
    return response;
}

Response Site::code(const Request& request, const Session& session, Instant now) {
    if (request.path != "/sign-in/code") return redirect("/sign-in");
    if (request.method == "GET") return code_page(session, {}, 200);
    if (refused_form(request, session)) return redirect("/sign-in");
    if (throttle_.waits(session.person, now)) return code_page(session, words::sign_in_wait, 429);
    const auto person = people_.find(session.person);
    std::string digits = request.field("code").substr(0, 20);
    std::erase(digits, ' ');
    const auto step = person ? step_of_code(person->code_secret, digits, now) : std::nullopt;
    if (!step || !throttle_.first_use(session.person, *step)) {
        throttle_.failed(session.person, now);
        spdlog::warn("a second step failed");
        return code_page(session, words::sign_in_wrong, 422);
    }
    throttle_.succeeded(session.person);
    sessions_.close(request.cookie(cookie_name));
    if (!person->one_time) return signed_in(*person, now);
    const auto opened = sessions_.open(person->name, true, now);
    Response response = redirect(new_password_path);
    set_cookie(response, opened.cookie);
    return response;
}

/// Whoever has signed in with a password that was given out sees nothing before they have chosen their own.
Response Site::new_password(const Request& request, const Person& person, const Session& session,
                            Instant now) {
    if (request.path != new_password_path) return redirect(new_password_path);
    if (request.method == "GET") return new_password_page(session, {});
    if (refused_form(request, session)) return redirect(new_password_path);
    const std::string chosen = request.field("password");
    if (chosen.size() < password_size_min || chosen.size() > password_size_max)
        return new_password_page(session, words::password_size);
    if (chosen != request.field("again")) return new_password_page(session, words::password_differs);
    if (check_password(person.password, chosen)) return new_password_page(session, words::password_given);
    Person changed = person;
    changed.password = hash_password(chosen, random_);
    changed.one_time = false;
    if (!keep_(changed)) return problem(nullptr);
    sessions_.close_all_of(person.name);
    return signed_in(changed, now);
}

std::optional<Instant> Site::last_signed_in(const std::string& person) const {
    return journal_ ? journal_->last(users_prefix + person, signed_in_entry) : std::nullopt;
}

Response Site::signed_in(const Person& person, Instant now) {
    const auto opened = sessions_.open(person.name, true, now, last_signed_in(person.name));
    if (journal_)
        journal_->note({users_prefix + person.name, signed_in_entry, person.name, person.called, {}, now});
    spdlog::info("{} signed in", person.name);
    const auto kept = sessions_.kept_path(person.name, now);
    Response response = redirect(kept ? page_of_form(*kept) + "?kept=1" : home(person, now));
    set_cookie(response, opened.cookie);
    return response;
}

Response Site::sign_out(const Request& request) {
    sessions_.close(request.cookie(cookie_name));
    Response response = redirect("/sign-in");
    response.headers.emplace_back("Clear-Site-Data", "\"cache\", \"storage\"");
    response.headers.emplace_back("Set-Cookie",
                                  std::string{cookie_name} + "=" + cookie_attributes + "; Max-Age=0");
    return response;
}

// --- pages

View Site::frame(const std::string& title) const {
    View view;
    view.text("title", title)
        .text("stylesheet", stylesheet().path)
        .text("icon", icon().path)
        .text("organisation", settings_.organisation)
        .text("help", settings_.help)
        .flag("practice", settings_.practice)
        .text("practice_words", words::practice);
    return view;
}

Response Site::plain(const std::string& name, const std::string& title, int status, View view) {
    Response response;
    response.status = status;
    view.merge(frame(title)).flag("signed_in", false).maybe("back_href", "").text("back_text", "");
    view.maybe("success", "");
    view.text("token", "").list("navigation", {}).text("person", "").text("role", "");
    view.flag("cut_off", false).text("status_words", "").text("status_rest", "").text("printed", "");
    view.maybe("last_time", "").maybe("restored", "");
    response.body = templates_.render(name, view);
    return response;
}

std::string Site::role_in_words(const std::string& role) const {
    const auto words = settings_.role_words.find(role);
    return words == settings_.role_words.end() ? role : words->second;
}

Response Site::page(const Visit& visit, const Page& page) {
    bool cut_off = false;
    std::string status_words, status_rest;
    if (standing_) {
        status_words = standing_(visit.now);
    } else if (const Connection connection = connection_(); connection.connected) {
        status_words = "Connected. Last heard from the broker at " + time_of_day(*connection.heard) + ".";
    } else {
        cut_off = true;
        status_words = words::cut_off(connection.heard ? near(*connection.heard, visit.now)
                                                       : "this program was started");
        status_rest = words::cut_off_rest(settings_.force_desk);
    }
    std::vector<View> items;
    for (const auto& item : navigation_(visit.person, visit.now)) {
        const bool here = item.href == page.section;
        items.push_back(View{}
                            .text("href", item.href)
                            .text("item", item.text)
                            .flag("itself", here && page.section_itself)
                            .flag("within", here && !page.section_itself)
                            .flag("elsewhere", !here));
    }
    View view = page.view;
    view.merge(frame(page.title))
        .flag("signed_in", true)
        .list("navigation", items)
        .text("token", token(visit.session))
        .text("person", visit.person.called)
        .text("role", role_in_words(visit.person.role))
        .flag("cut_off", cut_off)
        .text("status_words", status_words)
        .text("status_rest", status_rest)
        .maybe("back_href", page.back_href)
        .text("back_text", page.back_text)
        .maybe("success", page.success)
        .maybe("restored", visit.restored ? words::restored : "")
        .maybe("last_time", visit.session.last_time ? capital(near(*visit.session.last_time, visit.now)) : "")
        .text("printed", "Printed from Flagpost by " + visit.person.called + " on " +
                             day_in_words(visit.now) + " at " + time_of_day(visit.now) + ". " +
                             (page.reference.empty() ? "" : page.reference + ". ") + settings_.handling);
    Response response;
    response.status = page.status;
    response.body = templates_.render(page.name, view);
    if (page.watching) response.headers.emplace_back("Refresh", std::to_string(watch_every.count()));
    return response;
}

Response Site::message(const Visit& visit, int status, const std::string& heading, const std::string& words) {
    Page said{"message", heading};
    said.view.text("heading", heading).text("words", words);
    said.status = status;
    said.back_href = home(visit.person, visit.now);
    said.back_text = "Back to your list";
    return page(visit, said);
}

Response Site::not_found(const Visit& visit) {
    return message(
        visit, 404, "Page not found",
        "There is no such page, or it is not yours to see. If you typed a reference, check that it is "
        "right.");
}

Response Site::problem(const Visit* visit) {
    const std::string heading = "Sorry, there is a problem";
    const std::string words = "What you recorded is safe. Phone " + settings_.force_desk + ".";
    if (visit != nullptr) return message(*visit, 503, heading, words);
    return plain("message", heading, 503, View{}.text("heading", heading).text("words", words));
}

Response Site::turned_away(int status) {
    const bool large = status == 413;
    return plain("message", large ? "Too large" : "Not accepted", status,
                 View{}
                     .text("heading", large ? "This is too large" : "This was not accepted")
                     .text("words", large ? words::too_large : words::not_understood));
}

Response Site::sign_in_page(const std::string& name, const std::string& error, int status,
                            const std::string& before) {
    const std::string title = error.empty() ? "Sign in" : "Error: Sign in";
    return plain("sign-in", title, status,
                 View{}.text("name", name).maybe("error", error).maybe("before", before));
}

Response Site::code_page(const Session& session, const std::string& error, int status) {
    const std::string title = error.empty() ? "Enter your code" : "Error: Enter your code";
    return plain("sign-in-code", title, status,
                 View{}.text("form_token", token(session)).maybe("error", error));
}

Response Site::new_password_page(const Session& session, const std::string& error) {
    return plain("new-password", (error.empty() ? "" : "Error: ") + std::string{"Choose your own password"},
                 error.empty() ? 200 : 422,
                 View{}
                     .text("form_token", token(session))
                     .text("name", session.person)
                     .text("password_hint", words::password_size)
                     .maybe("error", error));
}

}  // namespace flagpost::web
