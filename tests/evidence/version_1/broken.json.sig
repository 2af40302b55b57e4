o57Ln+wPwdXIRE2/0QJ/ErzIZ9vABe1x1lJJDc6rO3k0I17sUQu9k4kc/flad/lsfuCwewe+SHp/linAwpRCDA==
