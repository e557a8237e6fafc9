// The emoji shortcodes that bots of this kind use; an unknown one stays as it was written.

const NAMES = `
white_check_mark ✅|heavy_check_mark ✔️|x ❌|negative_squared_cross_mark ❎|warning ⚠️|rotating_light 🚨|no_entry ⛔
no_entry_sign 🚫|octagonal_sign 🛑|red_circle 🔴|large_orange_circle 🟠|large_orange_diamond 🔶|orange_circle 🟠
large_yellow_circle 🟡|yellow_circle 🟡|large_green_circle 🟢|green_circle 🟢|large_blue_circle 🔵|blue_circle 🔵
large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|clock1 🕐
alarm_clock ⏰|calendar 📅|spiral_calendar_pad 🗓️|date 📅|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|shield 🛡️
bell 🔔|no_bell 🔕|mag 🔍|mag_right 🔎|bar_chart 📊|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉
clipboard 📋|page_facing_up 📄|bookmark_tabs 📑|memo 📝|pencil 📝|pencil2 ✏️|paperclip 📎|link 🔗|package 📦
file_folder 📁|open_file_folder 📂|inbox_tray 📥|outbox_tray 📤|email 📧|envelope ✉️|e-mail 📧|incoming_envelope 📨
rocket 🚀|gear ⚙️|wrench 🔧|hammer_and_wrench 🛠️|tools 🛠️|robot_face 🤖|eyes 👀|thumbsup 👍|+1 👍|thumbsdown 👎|-1 👎
tada 🎉|sparkles ✨|star ⭐|fire 🔥|bulb 💡|information_source ℹ️|question ❓|grey_question ❔|exclamation ❗
bangbang ‼️|arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrows_counterclockwise 🔄|repeat 🔁|recycle ♻️
rewind ⏪|leftwards_arrow_with_hook ↩️|arrow_right_hook ↪️|back 🔙|wastebasket 🗑️|cloud ☁️|house 🏠|busts_in_silhouette 👥
bust_in_silhouette 👤|raised_hand ✋|wave 👋|pray 🙏|clap 👏|handshake 🤝|writing_hand ✍️|lower_left_fountain_pen 🖋️
smile 😄|slightly_smiling_face 🙂|thinking_face 🤔|heart ❤️|test_tube 🧪|scroll 📜|label 🏷️|chains ⛓️|globe_with_meridians 🌐
double_vertical_bar ⏸️|arrow_forward ▶️|fast_forward ⏩|hash #️⃣|small_red_triangle 🔺|small_blue_diamond 🔹|heavy_plus_sign ➕`;

const TABLE = new Map(NAMES.trim().split(/[|\n]/).map((entry) => entry.split(" ")));

export const emoji = (name) => TABLE.get(name) || null;
