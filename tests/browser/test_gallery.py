"""The pages of a thread: put, seen in a sandbox, opened, deleted."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenChats

PAGE = "<!doctype html><title>x</title><h1>Made elsewhere</h1><script>document.body.append('and it runs')</script>"


def test_a_sample_page_shows_what_the_gallery_is_for(open_chats: OpenChats) -> None:
    chats = open_chats()
    expect(chats.button("Add a sample page")).to_be_disabled()
    chats.say("Make me a page")
    chats.button("Add a sample page").click()
    expect(chats.pages).to_have_count(1)
    expect(chats.pages).to_contain_text("Three huts, two days")
    expect(chats.pages).to_contain_text("just now")
    frame = chats.pages.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("Three huts, two days")
    expect(frame.locator("#tried")).to_contain_text("it can't read this site's storage")
    chats.console.shoot("chat-gallery")


def test_a_page_opens_in_a_preview_and_in_a_new_tab(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("Make me a page")
    chats.button("Add a sample page").click()
    chats.button("Three huts, two days").click()
    dialog = chats.page.get_by_role("dialog", name="Three huts, two days")
    expect(dialog.frame_locator("iframe").locator("h1")).to_have_text("Three huts, two days")
    assert dialog.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    chats.console.shoot("chat-page-preview")
    with chats.page.context.expect_page() as opened:
        dialog.get_by_role("link", name="Open in a new tab").click()
    expect(opened.value.locator("h1")).to_have_text("Three huts, two days")
    assert opened.value.evaluate("window.opener") is None
    dialog.get_by_role("button", name="Close").click()
    expect(chats.page.locator("#preview-place iframe")).to_have_count(0)
    expect(chats.button("Three huts, two days")).to_be_focused()


def test_pages_of_programs_show_after_a_refresh_and_belong_to_their_thread(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("First")
    [thread] = chats.listed()
    body = {"html": PAGE, "title": "By a program", "sessionId": thread["sessionId"]}
    url = f"{chats.console.url}/api/pages/by-a-program"
    assert chats.page.request.put(url, data=body).status == 201
    chats.button("Refresh").click()
    expect(chats.pages).to_contain_text("By a program")
    expect(chats.pages.frame_locator("iframe").locator("body")).to_contain_text("and it runs")
    chats.new_thread()
    expect(chats.pages).to_have_count(0)
    expect(chats.page.locator("#pages-empty")).to_contain_text("Send a message to start one")
    chats.page.go_back()
    expect(chats.pages).to_have_count(1)


def test_deleting_a_page_asks_first_and_ends_its_address(open_chats: OpenChats) -> None:
    chats = open_chats()
    chats.say("Make me a page")
    chats.button("Add a sample page").click()
    address = chats.pages.locator("iframe").get_attribute("src") or ""
    assert chats.page.request.get(address).status == 200
    chats.button("Delete Three huts, two days").click()
    chats.confirm("Delete page")
    expect(chats.pages).to_have_count(0)
    assert chats.page.request.get(address).status == 404
