"""The four invented articles that most tests are about."""

NEWS = {
    "bridge.txt": (
        "Harbour bridge closes for repairs\n"
        "Published: 2024-03-08\n"
        "Source: The Port Herald\n"
        "Author: Ines Calder\n"
        "URL: https://example.org/bridge\n"
        "\n"
        "The Harbour Bridge in Maldon was closed on Friday after cracks were found in two pillars. "
        "Mayor Ann Okoye said repairs would cost about $4 million.\n"
        "\n"
        "“Nobody was hurt,” she said. The bridge, opened in 1931, carries 12,000 cars a day.\n"
    ),
    "ferry.txt": (
        "Ferry to Lisk runs twice a day\n"
        "\n"
        "The ferry to Lisk leaves at 7 a.m. and 5 p.m. every day. Tickets cost nine euros. "
        "Dr. Paul Reyes, who runs the line, said that children travel free.\n"
    ),
    "islands/owls.md": (
        "# Owls return to Lisk\n"
        "Published: 2023-11-20\n"
        "\n"
        "Snowy owls were seen on the island of Lisk for the first time in 40 years. "
        "Rangers counted eleven birds.\n"
    ),
    "café.txt": (
        "Le café de Maldon ferme ses portes.\n"
        "\n"
        "The café on Quay Street closed after 88 years. Its owner, Zoë Brandt, is 91.\r\n"
        "She will move to Lisk.\r\n"
    ),
}
