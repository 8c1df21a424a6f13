// Mantine's styles for what every page has. Its whole stylesheet would take a
// fifth of the first load; what only some pages use comes with them
// (theme/forms.ts). scripts/check.mjs compares both lists with the imports.
import '@mantine/core/styles/baseline.layer.css';
import '@mantine/core/styles/global.layer.css';
import '@mantine/core/styles/UnstyledButton.layer.css';
import '@mantine/core/styles/Loader.layer.css';
import '@mantine/core/styles/Button.layer.css';
import '@mantine/core/styles/ActionIcon.layer.css';
