// What the page knows: the server's picture for the current person, and what this browser chose to show.

export const store = {
  script: { title: "", commands: [], shortcuts: [], tour: [] },
  picture: null,
  me: sessionStorage.getItem("me") || "",
  channel: "",
  thread: "",
  tab: "",
  read: JSON.parse(sessionStorage.getItem("read") || "{}"),
};

export const directory = {
  me: () => store.me,
  person: (id) => store.picture?.people.find((each) => each.id === id),
  channel: (id) => store.picture?.channels.find((each) => each.id === id),
  group: (id) => store.picture?.groups.find((each) => each.id === id),
  zone: () => directory.person(store.me)?.tz || "UTC",
};

export const messagesOf = (channel) => store.picture?.messages[channel] || [];

export function markRead(channel) {
  const last = messagesOf(channel).at(-1);
  if (!last) return;
  store.read[`${store.me}/${channel}`] = last.ts;
  sessionStorage.setItem("read", JSON.stringify(store.read));
}

export function unreadIn(channel) {
  const seen = store.read[`${store.me}/${channel}`] || "0";
  return messagesOf(channel).filter((message) => message.ts > seen && message.user !== store.me).length;
}

export function become(person) {
  store.me = person;
  store.thread = "";
  sessionStorage.setItem("me", person);
}
